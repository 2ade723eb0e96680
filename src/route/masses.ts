/** Probability as an integer: 2^20 is certainty. Integers sum exactly and print exactly. */
export const MASS_TOTAL = 2 ** 20;

export interface MassLimits {
  /** Least mass of each, never above ⌊2^20 / 2n⌋: half of the whole stays with the weights. */
  floors?: readonly number[];
  /** Greatest share of each, 1 = none; binding only while somebody else can take the rest. */
  caps?: readonly number[];
}

/**
 * Masses in proportion to non-negative weights; their sum is 2^20. Each gets its floor and its
 * share of what the floors leave; what is above a cap goes to those below theirs, in proportion.
 * Rounded by largest remainder; of equal remainders the earlier one is rounded up, so the caller
 * gives the candidates in the order of their key texts. All weights 0 = equal weights.
 */
export function massesOf(weights: readonly number[], limits: MassLimits = {}): number[] {
  const count = weights.length;
  if (count === 0) return [];
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const floorMax = Math.floor(MASS_TOTAL / (2 * count));
  const floors = weights.map((_, i) => Math.min(limits.floors?.[i] ?? 0, floorMax));
  const rest = MASS_TOTAL - floors.reduce((total, floor) => total + floor, 0);
  const targets = weights.map(
    (weight, i) => floors[i]! + rest * (sum > 0 ? weight / sum : 1 / count),
  );
  return roundToTotal(limits.caps === undefined ? targets : capped(targets, limits.caps));
}

/**
 * One pass suffices: caps are those of offerings on probation, and one without a cap (share 1)
 * cannot be pushed above it. Where all are capped nobody could take the rest: no cap binds.
 */
function capped(targets: readonly number[], caps: readonly number[]): number[] {
  const free = targets.map((_, i) => caps[i]! >= 1);
  const freeCount = free.filter(Boolean).length;
  if (freeCount === 0 || freeCount === targets.length) return [...targets];
  let excess = 0;
  let freeSum = 0;
  const held = targets.map((target, i) => {
    if (free[i]) {
      freeSum += target;
      return target;
    }
    const most = caps[i]! * MASS_TOTAL;
    excess += Math.max(0, target - most);
    return Math.min(target, most);
  });
  // Those without a cap may all have weight 0 (they take what is left in equal parts).
  return held.map((target, i) => {
    if (!free[i]) return target;
    return target + excess * (freeSum > 0 ? target / freeSum : 1 / freeCount);
  });
}

/** Masses of 2^20 as parts of `total`, in whole numbers; rounded as above. */
export function scaledMasses(masses: readonly number[], total: number): number[] {
  return roundToTotal(
    masses.map((mass) => (mass * total) / MASS_TOTAL),
    total,
  );
}

function roundToTotal(targets: readonly number[], total = MASS_TOTAL): number[] {
  const masses = targets.map(Math.floor);
  let left = total - masses.reduce((total, mass) => total + mass, 0);
  const byRemainder = targets
    .map((target, i) => ({ i, remainder: target - masses[i]! }))
    .sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  for (const { i } of byRemainder) {
    if (left <= 0) break;
    masses[i]! += 1;
    left -= 1;
  }
  return masses;
}
