import { createHash } from 'node:crypto';
import type { Decision } from '../event/outcome.js';
import { canonicalJson } from './canonical-json.js';
import type { Decided } from './decide.js';
import type { RouteRequest } from './request.js';
import type { Snapshot } from './snapshot.js';
import { stateRefOf } from './state-ref.js';
import { hashedStickyKey } from './sticky-key.js';

/** Bytes of a request that is kept as it is; of a longer one the hash is. */
const REQUEST_BYTES_MAX = 2048;

/** What the decision log keeps: enough to compute the answer again. */
export function decisionRecord(
  decided: Decided,
  context: { snapshot: Snapshot; decidedAtMs: number; tenant: string; request: RouteRequest },
): Decision {
  const request = canonicalJson(withoutSecrets(context.request));
  const isHashed = Buffer.byteLength(request) > REQUEST_BYTES_MAX;
  const { unit } = decided;
  return {
    decision_id: decided.decisionId,
    decided_at: context.decidedAtMs,
    as_of: context.decidedAtMs - (context.decidedAtMs % 1000),
    tenant: context.tenant,
    policy: decided.policy,
    policy_hash: decided.policyHash,
    strategy: decided.strategy,
    algorithm: decided.algorithm,
    state: stateRefOf(context.snapshot),
    request: isHashed ? sha256(request) : request,
    request_hashed: isHashed,
    unit: unit.kind,
    unit_hash: unit.kind === 'decision' ? '' : sha256(unit.text),
    eligible: [...decided.eligible],
    excluded: [...decided.excluded],
    slate: decided.candidates.map(({ offering }) => offering),
    degraded: decided.degraded,
  };
}

/** A sticky key is often a user: the log knows its hash alone. */
function withoutSecrets(request: RouteRequest): RouteRequest {
  const key = request.sticky_key ?? '';
  return key === '' ? request : { ...request, sticky_key: hashedStickyKey(key) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
