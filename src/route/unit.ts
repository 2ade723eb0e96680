import type { Uuid } from '../event/outcome.js';
import { formatUuid } from '../event/uuid.js';
import { draw } from './draw.js';
import type { PolicyInForce } from './policy-in-force.js';
import type { RouteRequest } from './request.js';
import { hashedStickyKey } from './sticky-key.js';

/** What draws are made by: same unit and salt, same draws. */
export interface Unit {
  kind: 'decision' | 'sticky' | 'time_block';
  text: string;
  salt: string;
}

/** By what a decision is drawn. */
export interface Units {
  /** Which variant it falls into, and what a sticky key is pinned to. */
  split: Unit;
  /** All other ranks: the decision itself, or all of a key or a block would explore the same. */
  decision: Unit;
}

export function unitsOf(
  inForce: PolicyInForce | null,
  { request, decisionId, asOf }: { request: RouteRequest; decisionId: Uuid; asOf: number },
): Units {
  const text = formatUuid(decisionId);
  const decision: Unit = { kind: 'decision', text, salt: inForce?.policy.hash ?? '' };
  if (inForce === null) return { split: decision, decision };
  const { policy, rules } = inForce;
  const { salt } = policy;
  if (rules.unit === 'time_block') {
    const block = Math.floor(asOf / rules.blockSeconds);
    return { split: { kind: 'time_block', text: String(block), salt }, decision };
  }
  if (rules.unit === 'decision' || (request.sticky_key ?? '') === '') {
    return { split: decision, decision };
  }
  const key = hashedStickyKey(request.sticky_key!);
  // Keys begin their epochs at moments of their own, so that they do not all move at once.
  const start = Math.floor(draw('epoch', salt, key) * rules.ttlSeconds);
  const epoch = Math.floor((asOf + start) / rules.ttlSeconds);
  return { split: { kind: 'sticky', text: `${key}/${epoch}`, salt }, decision };
}
