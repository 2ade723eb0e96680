import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Caller } from '../access/caller.js';
import type { Clock } from '../clock.js';
import { AiRouterError, asAiRouterError } from '../errors.js';
import type { HotView } from '../hotkeys/poller.js';
import { answerOf, type Made } from './answer.js';
import { Board } from './board.js';
import { registerCompressed } from './compression.js';
import { type DecisionInput, decide } from './decide.js';
import { explanationOf } from './explain.js';
import * as schema from './explain-request-schema.js';
import { previewId } from './preview.js';
import { type DecisionJson, recompute, type SavedState, snapshotOfSaved } from './recompute.js';
import type { RouteRequest } from './request.js';
import type { Snapshot } from './snapshot.js';

/** A saved state of some thousand offerings. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;

export interface ExplainOptions {
  snapshotOf: () => Snapshot;
  /** The hot keys as they were read last; null = none were. */
  view: () => HotView | null;
  clock: Clock;
  staleAfterMs: number;
}

interface ExplainBody {
  decision?: DecisionJson;
  request?: RouteRequest & { seed?: string };
  decided_at?: number;
  state?: SavedState;
}

/** `POST /v1/explain` and `GET /v1/state`. */
export function registerExplain(app: FastifyInstance, options: ExplainOptions): void {
  const config = {
    problems: ['model_not_found', 'no_eligible_offering', 'state_gone', 'not_ready'] as const,
  };
  app.post<{ Body: ExplainBody }>(
    '/v1/explain',
    { schema: schema.explain, config, bodyLimit: BODY_BYTES_MAX },
    async (request) => explained(options, request),
  );
  registerCompressed(app, (compressed) => {
    const problems = ['not_ready'] as const;
    compressed.get(
      '/v1/state',
      { schema: schema.state, config: { problems } },
      async ({ caller }) => {
        if (caller?.namesTenants === false) throw ofAllTenants();
        const view = options.view();
        if (view === null) throw new AiRouterError('not_ready', 'no hot keys have been read yet');
        const { generation, state, values } = view;
        return { generation, state, values: Object.fromEntries(values) };
      },
    );
  });
}

function explained(options: ExplainOptions, request: FastifyRequest<{ Body: ExplainBody }>) {
  const { decision, state } = request.body;
  if ((decision === undefined) === (request.body.request === undefined)) {
    const rule = 'an object with exactly one of decision and request';
    throw new AiRouterError('invalid_request', `body must be ${rule}`, { field: 'body', rule });
  }
  const snapshot = state === undefined ? options.snapshotOf() : snapshotOfSaved(state);
  try {
    return decision === undefined
      ? previewed(options, request, snapshot)
      : computedAgain(options, request.caller, decision, snapshot);
  } catch (error) {
    const known = asAiRouterError(error);
    if (known.code !== 'internal' || state === undefined) throw error;
    const rule = 'as it was answered by GET /v1/state';
    throw new AiRouterError('invalid_request', `state must be ${rule}`, { field: 'state', rule });
  }
}

function computedAgain(
  { staleAfterMs }: ExplainOptions,
  caller: Caller | null,
  decision: DecisionJson,
  snapshot: Snapshot,
) {
  if (caller !== null && !caller.namesTenants && decision.tenant !== caller.tenant) {
    throw ofAllTenants();
  }
  const { input, decided, differs } = recompute(decision, snapshot, staleAfterMs);
  const made = { decided, snapshot, decidedAtMs: decision.decided_at, isPreview: false };
  return answered(input, made, { same: differs.length === 0, differs });
}

function previewed(
  { clock, staleAfterMs }: ExplainOptions,
  { body, caller }: FastifyRequest<{ Body: ExplainBody }>,
  snapshot: Snapshot,
) {
  const { seed, ...request } = body.request!;
  const decidedAtMs = body.decided_at ?? clock.nowMs();
  const input: DecisionInput = {
    board: new Board(snapshot, Math.floor(decidedAtMs / 1000), request.stream),
    decidedAtMs,
    staleAfterMs,
    tenant: caller?.tenant ?? '',
    request,
    decisionId: previewId(seed ?? ''),
  };
  const made = { decided: decide(input), snapshot, decidedAtMs, isPreview: true };
  return answered(input, made, null);
}

function answered(
  input: DecisionInput,
  made: Made,
  recomputed: { same: boolean; differs: string[] } | null,
) {
  return { ...answerOf(made), explain: explanationOf(input, made.decided), recomputed };
}

function ofAllTenants(): AiRouterError {
  const rule = 'a key that is not of one tenant alone';
  return new AiRouterError('forbidden', `this needs ${rule}`, { field: 'authorization', rule });
}
