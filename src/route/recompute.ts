import { AiRouterError } from '../errors.js';
import type { Decision } from '../event/outcome.js';
import { formatUuid, parseUuid } from '../event/uuid.js';
import type { HotState } from '../hotkeys/port.js';
import { Board } from './board.js';
import { canonicalJson } from './canonical-json.js';
import { type Decided, type DecisionInput, decide } from './decide.js';
import { decisionRecord } from './decision-record.js';
import type { RouteRequest } from './request.js';
import { nextSnapshot, type Snapshot } from './snapshot.js';
import { stateRefOf } from './state-ref.js';

/** A record of the decision log as JSON has it. */
export type DecisionJson = Omit<Decision, 'decision_id'> & { decision_id: string };

/** All hot keys as of one state: what `GET /v1/state` answers. */
export interface SavedState {
  generation: string;
  state: HotState;
  /** Texts by key name. */
  values: Record<string, string>;
}

export interface Recomputed {
  input: DecisionInput;
  decided: Decided;
  /** Members in which the record differs from what was computed; empty = none. */
  differs: string[];
}

/**
 * Computes a decision again from its record and the state that it names.
 *
 * @throws AiRouterError invalid_request: the record cannot be computed again; state_gone: the state
 *   is another one
 */
export function recompute(
  record: DecisionJson,
  snapshot: Snapshot,
  staleAfterMs: number,
): Recomputed {
  if (canonicalJson(stateRefOf(snapshot)) !== canonicalJson(record.state)) {
    throw new AiRouterError('state_gone', 'the state that the decision was made from is not here', {
      field: 'state',
      rule: 'the one that the decision names',
    });
  }
  const request = requestOf(record);
  const input: DecisionInput = {
    board: new Board(snapshot, Math.floor(record.decided_at / 1000), request.stream),
    decidedAtMs: record.decided_at,
    staleAfterMs,
    tenant: record.tenant,
    request,
    decisionId: parseUuid(record.decision_id)!,
  };
  const decided = decide(input);
  return { input, decided, differs: differences(record, { decided, snapshot, request }) };
}

function requestOf({ request, request_hashed }: DecisionJson): RouteRequest {
  const field = 'decision.request';
  if (request_hashed) {
    const rule = 'kept whole: of a long request the log has the hash alone';
    throw new AiRouterError('invalid_request', `${field} must be ${rule}`, { field, rule });
  }
  try {
    return JSON.parse(request) as RouteRequest;
  } catch {
    const rule = 'the text of a request';
    throw new AiRouterError('invalid_request', `${field} must be ${rule}`, { field, rule });
  }
}

function differences(
  record: DecisionJson,
  made: { decided: Decided; snapshot: Snapshot; request: RouteRequest },
): string[] {
  const { decided, snapshot, request } = made;
  const context = { snapshot, decidedAtMs: record.decided_at, tenant: record.tenant, request };
  const again = decisionRecord(decided, context);
  const computed = { ...again, decision_id: formatUuid(again.decision_id) };
  return Object.entries(computed)
    .filter(
      ([name, value]) => canonicalJson(record[name as keyof Decision]) !== canonicalJson(value),
    )
    .map(([name]) => name);
}

/**
 * The snapshot of a state that was saved.
 *
 * @throws AiRouterError invalid_request: a value cannot be read
 */
export function snapshotOfSaved({ generation, state, values }: SavedState): Snapshot {
  const texts = new Map(Object.entries(values));
  const changedKeys = new Set(texts.keys());
  const { snapshot, broken } = nextSnapshot(null, {
    generation,
    state,
    values: texts,
    changedKeys,
  });
  const [first] = broken;
  if (first === undefined) return snapshot;
  const field = `state.values.${first[0]}`;
  const rule = 'a value of a hot key';
  throw new AiRouterError('invalid_request', `${field} must be ${rule}`, { field, rule });
}
