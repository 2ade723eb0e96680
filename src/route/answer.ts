import { formatUuid } from '../event/uuid.js';
import type { Decided } from './decide.js';
import type { Snapshot } from './snapshot.js';
import { stateRefOf } from './state-ref.js';

/** A decision with what it was made from. */
export interface Made {
  decided: Decided;
  snapshot: Snapshot;
  decidedAtMs: number;
  /** A try that is no evidence: it has no id, and no log has it. */
  isPreview: boolean;
}

/** The decision as it is answered. */
export function answerOf({ decided, snapshot, decidedAtMs, isPreview }: Made) {
  const { version, vector, generation } = stateRefOf(snapshot);
  return {
    decision_id: isPreview ? null : formatUuid(decided.decisionId),
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
