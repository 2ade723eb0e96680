import type { FastifyInstance } from 'fastify';
import { type Caller, isAllowed } from '../access/caller.js';
import { AiRouterError } from '../errors.js';
import type { Decision } from '../event/outcome.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { answerOf, type Made } from './answer.js';
import type { BoardCache } from './board-cache.js';
import { type DecisionInput, decide } from './decide.js';
import { decisionRecord } from './decision-record.js';
import { explanationOf } from './explain.js';
import type { Mint } from './mint.js';
import { previewId } from './preview.js';
import type { RouteRequest } from './request.js';
import { routeAnswer, routeBody } from './route-schema.js';
import type { ServiceCounts } from './service-counts.js';
import type { Snapshot } from './snapshot.js';

declare module 'fastify' {
  interface FastifyRequest {
    made: Timed | null;
  }
}

/** What is done with once the answer is sent. */
interface Timed extends Made {
  asked: RouteRequest;
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
      onResponse: async ({ made, caller }) => {
        if (made === null) return;
        count(metrics, made);
        staleness(made);
        if (made.isPreview) return;
        onDecision(
          decisionRecord(made.decided, {
            snapshot: made.snapshot,
            decidedAtMs: made.decidedAtMs,
            tenant: caller?.tenant ?? '',
            request: made.asked,
          }),
        );
      },
    },
    (request, reply) => {
      const { seed, explain } = request.body;
      const asked = decidedBy(request.body);
      const isPreview = seed !== undefined;
      if (isPreview) requireAnalyst(request.caller);
      const snapshot = snapshotOf();
      const { decisionId, nowMs } = mint(request.headers, asked.request_id);
      const board = boards.boardOf(snapshot, Math.floor(nowMs / 1000), asked.stream);
      const { plansMade } = board;
      const startedAt = performance.now();
      const input: DecisionInput = {
        board,
        decidedAtMs: nowMs,
        staleAfterMs,
        tenant: request.caller?.tenant ?? '',
        request: asked,
        decisionId: isPreview ? previewId(seed) : decisionId,
      };
      const decided = decide(input);
      const seconds = (performance.now() - startedAt) / 1000;
      counts.count(board.plansMade === plansMade, seconds);
      const made = { decided, snapshot, decidedAtMs: nowMs, isPreview };
      request.made = { ...made, asked, seconds };
      const answer = answerOf(made);
      if (explain !== true) return reply.send(answer);
      return reply.send({ ...answer, explain: explanationOf(input, decided) });
    },
  );
}

/** The request without what changes no decision. */
function decidedBy(body: RouteRequest): RouteRequest {
  if (body.explain === undefined && body.seed === undefined) return body;
  const { explain: _, seed: __, ...asked } = body;
  return asked;
}

/** Who can choose the draws can look for what suits, so not everybody may. */
function requireAnalyst(caller: Caller | null): void {
  if (caller === null || isAllowed(caller, ['analyst'])) return;
  throw new AiRouterError('forbidden', 'seed needs a key of the scope analyst', {
    field: 'seed',
    rule: 'absent, or sent with a key of the scope analyst',
  });
}

function count(metrics: Metrics | null, { decided, seconds }: Timed): void {
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
