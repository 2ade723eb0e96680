import type { FastifyInstance } from 'fastify';
import type { Decision } from '../event/outcome.js';
import { formatUuid } from '../event/uuid.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import type { BoardCache } from './board.js';
import { type Decided, decide } from './decide.js';
import { decisionRecord } from './decision-record.js';
import type { Mint } from './mint.js';
import type { RouteRequest } from './request.js';
import { routeAnswer, routeBody } from './route-schema.js';
import type { ServiceCounts } from './service-counts.js';
import type { Snapshot } from './snapshot.js';
import { stateRefOf } from './state-ref.js';

declare module 'fastify' {
  interface FastifyRequest {
    made: Made | null;
  }
}

/** A decision with what it was made from: what is done with it once the answer is sent. */
interface Made {
  decided: Decided;
  snapshot: Snapshot;
  decidedAtMs: number;
  seconds: number;
}

export interface RouteHandlerOptions {
  snapshotOf: () => Snapshot;
  boards: BoardCache;
  counts: ServiceCounts;
  mint: Mint;
  staleAfterMs: number;
  /** Takes the decision for the log; must not wait and must not throw. */
  onDecision: (decision: Decision) => void;
  metrics: Metrics | null;
  logger: Pick<Logger, 'warn' | 'info'>;
}

/** `POST /v1/route`. */
export function registerRoute(app: FastifyInstance, options: RouteHandlerOptions): void {
  const { snapshotOf, boards, counts, mint, staleAfterMs, onDecision, metrics } = options;
  const staleness = stalenessLog(options.logger);
  app.decorateRequest('made', null);
  app.post<{ Body: RouteRequest }>(
    '/v1/route',
    {
      schema: {
        operationId: 'route',
        summary: 'Where to send a request: candidates in the order in which to try them',
        tags: ['route'],
        body: routeBody,
        response: { 200: routeAnswer },
      },
      config: {
        problems: ['unsupported_field', 'model_not_found', 'no_eligible_offering', 'not_ready'],
      },
      // The answer is on its way: whatever the log of decisions costs, no caller waits for it.
      onResponse: async ({ made, caller, body }) => {
        if (made === null) return;
        count(metrics, made);
        staleness(made);
        onDecision(
          decisionRecord(made.decided, {
            snapshot: made.snapshot,
            decidedAtMs: made.decidedAtMs,
            tenant: caller?.tenant ?? '',
            request: body,
          }),
        );
      },
    },
    (request, reply) => {
      const snapshot = snapshotOf();
      const { decisionId, nowMs } = mint(request.headers, request.body.request_id);
      const board = boards.boardOf(snapshot, Math.floor(nowMs / 1000), request.body.stream);
      const { plansMade } = board;
      const startedAt = performance.now();
      const decided = decide({
        board,
        decidedAtMs: nowMs,
        staleAfterMs,
        tenant: request.caller?.tenant ?? '',
        request: request.body,
        decisionId,
      });
      const seconds = (performance.now() - startedAt) / 1000;
      counts.count(board.plansMade === plansMade, seconds);
      request.made = { decided, snapshot, decidedAtMs: nowMs, seconds };
      return reply.send(answerOf(request.made));
    },
  );
}

function answerOf({ decided, snapshot, decidedAtMs }: Made) {
  const { version, vector, generation } = stateRefOf(snapshot);
  return {
    decision_id: formatUuid(decided.decisionId),
    policy: decided.policy,
    policy_hash: decided.policyHash,
    variant: decided.variant,
    unit: decided.unit.kind,
    strategy: decided.strategy,
    candidates: decided.candidates,
    explored: decided.explored,
    degraded: decided.degraded,
    state: {
      as_of: decidedAtMs - (decidedAtMs % 1000),
      version,
      vector,
      generation,
      age_ms: decided.ageMs,
    },
  };
}

function count(metrics: Metrics | null, { decided, seconds }: Made): void {
  if (metrics === null) return;
  const degraded = decided.degraded[0] ?? 'none';
  metrics.counter('decisions').inc({ strategy: decided.strategy, degraded });
  metrics.histogram('decisionSeconds').observe(seconds);
  if (decided.ageMs !== null) metrics.gauge('snapshotAge').set(decided.ageMs / 1000);
}

/** One line when answers begin to be stale, one when they are fresh again. */
function stalenessLog(logger: Pick<Logger, 'warn' | 'info'>): (made: Made) => void {
  let wasStale = false;
  return ({ decided }) => {
    const isStale = decided.degraded.includes('stale');
    if (isStale === wasStale) return;
    wasStale = isStale;
    if (isStale) logger.warn({ ageMs: decided.ageMs }, 'The state is stale; answers say so.');
    else logger.info({ ageMs: decided.ageMs }, 'The state is fresh again.');
  };
}
