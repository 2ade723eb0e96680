import type { Candidate } from './candidate.js';
import { draw } from './draw.js';
import { MASS_TOTAL } from './masses.js';
import type { PlannedTier } from './plan.js';

/** What draws are made by: same unit and salt, same draws. */
export interface Unit {
  kind: 'decision' | 'sticky' | 'time_block';
  text: string;
  salt: string;
}

export interface Ranked {
  candidate: Candidate;
  /** Where it stands. */
  tier: PlannedTier;
  /** P(this candidate at this rank | state, request, the ranks before). */
  propensity: number;
}

/**
 * The ranked list: tier by tier, where the order is fixed as it stands, where it is drawn without
 * replacement by mass / remaining mass, each rank with a draw of its own. Ends at `limit`, or where
 * no mass remains.
 */
export function slateOf(tiers: readonly PlannedTier[], limit: number, unit: Unit): Ranked[] {
  const slate: Ranked[] = [];
  for (const tier of tiers) {
    if (tier.order === 'fixed') rankFixed(slate, tier, limit, unit);
    else while (slate.length < limit && rankDrawn(slate, tier, unit));
    if (slate.length >= limit) break;
  }
  return slate;
}

function rankFixed(slate: Ranked[], tier: PlannedTier, limit: number, unit: Unit): void {
  // The very first may be drawn, where the head of the order is on probation.
  if (slate.length === 0) rankDrawn(slate, tier, unit);
  const first = slate[0]!.candidate;
  for (const candidate of tier.candidates) {
    if (slate.length >= limit) return;
    if (candidate !== first) slate.push({ candidate, tier, propensity: 1 });
  }
}

/** Ranks one more of the tier; false where no mass remains. */
function rankDrawn(slate: Ranked[], tier: PlannedTier, unit: Unit): boolean {
  const isTaken = (candidate: Candidate): boolean =>
    slate.some((ranked) => ranked.candidate === candidate);
  let remaining = MASS_TOTAL;
  tier.candidates.forEach((candidate, i) => {
    if (isTaken(candidate)) remaining -= tier.masses[i]!;
  });
  if (remaining === 0) return false;
  const rank = slate.length;
  let left = draw(rank === 0 ? 'first' : `rank-${rank}`, unit.salt, unit.text) * remaining;
  let last: Ranked | null = null;
  for (let i = 0; i < tier.candidates.length; i++) {
    const candidate = tier.candidates[i]!;
    const mass = tier.masses[i]!;
    if (mass === 0 || isTaken(candidate)) continue;
    last = { candidate, tier, propensity: mass / remaining };
    left -= mass;
    if (left < 0) break;
  }
  // Masses are integers, so only the rounding of draw · remaining can leave `left` at 0.
  slate.push(last!);
  return true;
}
