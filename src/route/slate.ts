import { naturalLog } from './arithmetic.js';
import type { Candidate } from './candidate.js';
import { draw } from './draw.js';
import { MASS_TOTAL } from './masses.js';
import { mixPropensities } from './mixture.js';
import { namedDraws } from './named-draws.js';
import type { PlannedVariant } from './plan.js';
import type { PlannedTier, Ranked } from './tiers.js';
import type { Unit, Units } from './unit.js';

/**
 * The variant that a decision falls into, and its ranked list: tier by tier, where the order is
 * fixed as it stands, where it is drawn without replacement by mass / remaining mass, each rank
 * with a draw of its own. Ends at a variant's limit, or where no mass remains.
 */
export function slateOf(
  variants: readonly PlannedVariant[],
  limitOf: (variant: PlannedVariant) => number,
  units: Units,
): { variant: PlannedVariant; ranked: readonly Ranked[] } {
  const variant = variants.length === 1 ? variants[0]! : drawVariant(variants, units.split);
  const limit = limitOf(variant);
  const ranked: Ranked[] = [];
  for (const tier of variant.tiers) {
    if (tier.order === 'fixed') rankFixed(ranked, variant, tier, limit, units);
    else while (ranked.length < limit && rankDrawn(ranked, variant, tier, units));
    if (ranked.length >= limit) break;
  }
  return { variant, ranked: variants.length === 1 ? ranked : mixPropensities(ranked, variants) };
}

/**
 * A decision falls by its mass; what lasts longer, by rendezvous: −ln(1 − draw) / share is the
 * least with the variant's own chance, and nobody moves but to or from a variant that changes.
 */
function drawVariant(variants: readonly PlannedVariant[], unit: Unit): PlannedVariant {
  if (unit.kind === 'decision') {
    let left = draw('split', unit.salt, unit.text) * MASS_TOTAL;
    for (const variant of variants) {
      left -= variant.mass;
      if (left < 0) return variant;
    }
    return variants.at(-1)!;
  }
  const names = variants.map(({ name }) => name);
  const shares = variants.map(({ percent }) => percent);
  return variants[rendezvous('split', unit, names, shares)]!;
}

/** Index of the winner; every weight is at least 0, and one is above. */
function rendezvous(
  purpose: 'split' | 'pin',
  { salt, text }: Unit,
  names: readonly string[],
  weights: readonly number[],
): number {
  let winner = -1;
  let least = Number.POSITIVE_INFINITY;
  const drawOf = namedDraws(purpose, salt, text);
  names.forEach((name, i) => {
    if (weights[i] === 0) return;
    const time = -naturalLog(1 - drawOf(name)) / weights[i]!;
    if (winner !== -1 && time >= least) return;
    least = time;
    winner = i;
  });
  return winner;
}

function rankFixed(
  ranked: Ranked[],
  variant: PlannedVariant,
  tier: PlannedTier,
  limit: number,
  units: Units,
): void {
  // The very first may be drawn, where the head of the order is on probation.
  if (ranked.length === 0) rankDrawn(ranked, variant, tier, units);
  for (const candidate of tier.candidates) {
    if (ranked.length >= limit) return;
    if (!isTaken(ranked, candidate)) ranked.push({ candidate, tier, propensity: 1 });
  }
}

/** An offering may stand in several variants, as a candidate of each. */
function isTaken(ranked: readonly Ranked[], { key }: Candidate): boolean {
  for (let i = 0; i < ranked.length; i++) if (ranked[i]!.candidate.key === key) return true;
  return false;
}

/** Ranks one more of the tier; false where no mass remains. */
function rankDrawn(
  ranked: Ranked[],
  variant: PlannedVariant,
  tier: PlannedTier,
  units: Units,
): boolean {
  const masses = ranked.length === 0 ? variant.firstMasses : tier.laterMasses;
  const remaining = remainingMass(ranked, variant, tier);
  if (remaining === 0) return false;
  const { pinWeights } = tier;
  const index =
    pinWeights !== null && units.split.kind === 'sticky'
      ? pinned(ranked, tier, pinWeights, units.split)
      : drawn(ranked, tier, masses, remaining, units.decision);
  const candidate = tier.candidates[index]!;
  ranked.push({ candidate, tier, propensity: masses[index]! / remaining });
  return true;
}

function remainingMass(
  ranked: readonly Ranked[],
  variant: PlannedVariant,
  { candidates, laterMasses }: PlannedTier,
): number {
  if (ranked.length === 0) return variant.mass;
  let remaining = MASS_TOTAL;
  for (let i = 0; i < candidates.length; i++) {
    if (isTaken(ranked, candidates[i]!)) remaining -= laterMasses[i]!;
  }
  return remaining;
}

function pinned(
  ranked: readonly Ranked[],
  { candidates, masses }: PlannedTier,
  weights: readonly number[],
  unit: Unit,
): number {
  const names = candidates.map(({ key }) => key);
  const left = weights.map((weight, i) =>
    masses[i] === 0 || isTaken(ranked, candidates[i]!) ? 0 : weight,
  );
  return rendezvous('pin', unit, names, left);
}

function drawn(
  ranked: readonly Ranked[],
  { candidates }: PlannedTier,
  masses: readonly number[],
  remaining: number,
  unit: Unit,
): number {
  const rank = ranked.length;
  let left = draw(rank === 0 ? 'first' : `rank-${rank}`, unit.salt, unit.text) * remaining;
  let last = -1;
  for (let i = 0; i < masses.length; i++) {
    if (masses[i] === 0 || isTaken(ranked, candidates[i]!)) continue;
    last = i;
    left -= masses[i]!;
    if (left < 0) break;
  }
  // Masses are integers, so only the rounding of draw · remaining can leave `left` at 0.
  return last;
}
