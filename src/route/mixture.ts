import { MASS_TOTAL } from './masses.js';
import type { PlannedVariant } from './plan.js';
import type { Ranked } from './tiers.js';

/**
 * Propensities over all variants: P(this candidate at this rank | state, request, ranks before),
 * whichever variant it came from, for whoever weighs outcomes does not see the draw of the variant.
 * At rank 0 it is the sum of the first masses / 2^20; at a later rank the chance in each variant,
 * weighted by how likely the variant is after the ranks before.
 */
export function mixPropensities(
  ranked: readonly Ranked[],
  variants: readonly PlannedVariant[],
): Ranked[] {
  let likelihoods: readonly number[] = [];
  let total = MASS_TOTAL;
  const before = new Set<string>();
  return ranked.map((entry, rank) => {
    const { key } = entry.candidate;
    likelihoods = variants.map((variant, i) => {
      // Whole numbers, whose sum is exact.
      if (rank === 0) return firstMass(variant, key);
      return likelihoods[i] === 0 ? 0 : likelihoods[i]! * chanceOf(variant, before, key);
    });
    const sum = likelihoods.reduce((all, likelihood) => all + likelihood, 0);
    const propensity = sum / total;
    total = sum;
    before.add(key);
    return { ...entry, propensity };
  });
}

function firstMass({ tiers, firstMasses }: PlannedVariant, key: string): number {
  const index = tiers[0]!.candidates.findIndex((candidate) => candidate.key === key);
  return index === -1 ? 0 : firstMasses[index]!;
}

/** The chance of an offering at the rank after those before, within one variant. */
function chanceOf({ tiers }: PlannedVariant, before: ReadonlySet<string>, key: string): number {
  for (const { order, candidates, laterMasses } of tiers) {
    let next: string | null = null;
    let remaining = 0;
    let own = 0;
    candidates.forEach((candidate, i) => {
      if (before.has(candidate.key)) return;
      next ??= candidate.key;
      remaining += laterMasses[i]!;
      if (candidate.key === key) own = laterMasses[i]!;
    });
    if (next === null || (order === 'drawn' && remaining === 0)) continue;
    if (order === 'fixed') return next === key ? 1 : 0;
    return own / remaining;
  }
  return 0;
}
