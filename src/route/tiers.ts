import type { Candidate } from './candidate.js';
import { MASS_TOTAL, massesOf } from './masses.js';
import { providerNames } from './request.js';
import { byScore, type Group, type Strategy, type Tier } from './strategies/strategy.js';

/** Least mass at the ranks after the first, so that every order can come to be. */
const LATER_FLOOR = Math.floor(MASS_TOTAL * 0.0002);

/** Candidates that stand together, with what the first rank is drawn by. */
export interface PlannedTier {
  /** What ranks it, and among whom: together they name the terms of each score. */
  strategy: Strategy;
  group: Group;
  order: Tier['order'];
  candidates: readonly Candidate[];
  /** Sum 2^20. In a fixed order they are for the first rank alone. */
  masses: readonly number[];
  /** The same for the ranks after the first. */
  laterMasses: readonly number[];
  /** What sticky keys are pinned by; null = they are drawn like any decision. */
  pinWeights: readonly number[] | null;
}

/** One of a decision's list. */
export interface Ranked {
  candidate: Candidate;
  /** Where it stands. */
  tier: PlannedTier;
  /** P(this candidate at this rank | state, request, the ranks before). */
  propensity: number;
}

/** The tiers of a group. `isSticky`: keys are pinned where the weights alone decide. */
export function tiersOf(strategy: Strategy, group: Group, isSticky: boolean): PlannedTier[] {
  const isCold = group.board.snapshot.state === null;
  const tiers = isCold ? coldTiers(group) : warmTiers(strategy, group);
  const isPinned = isSticky && !isCold && strategy.name === 'weighted_round_robin';
  return tiers.map((tier) => plannedTier(strategy, group, tier, isPinned));
}

/** One on probation is chosen to be tried, not because it is the best. */
export function bestOf({ strategy, group, order, candidates }: PlannedTier): Candidate | null {
  const score = (candidate: Candidate): number | null => strategy.score(candidate, group);
  const free = candidates.filter(({ shareMax }) => shareMax >= 1);
  const fit = free.length === 0 ? candidates : free;
  if (order === 'fixed') return fit[0]!;
  const best = byScore(fit, score)[0]!;
  return score(best) === null ? null : best;
}

/** A preferred order of providers takes the balancing off. */
function warmTiers(strategy: Strategy, group: Group): Tier[] {
  const { candidates, preferences } = group;
  if (preferences.order === undefined || preferences.order.length === 0) {
    return strategy.tiers(group);
  }
  const ranked = byScore(candidates, (it) => strategy.score(it, group));
  return [inProviderOrder(ranked, group)];
}

/** Nothing is known: the order is that of the catalogue. */
function coldTiers(group: Group): Tier[] {
  const byKey = new Map(group.candidates.map((candidate) => [candidate.key, candidate]));
  const { offerings } = group.board.snapshot.catalogue;
  const ranked = [...offerings.keys()].flatMap((key) => byKey.get(key) ?? []);
  return [inProviderOrder(ranked, group)];
}

/** Those of the named providers first, as they are named, then the others; else as ranked. */
function inProviderOrder(ranked: readonly Candidate[], { preferences }: Group): Tier {
  const order = providerNames(preferences.order);
  const placeOf = ({ view }: Candidate): number => {
    const place = order.indexOf(view.offering.provider);
    return place === -1 ? order.length : place;
  };
  return { order: 'fixed', candidates: ranked.toSorted((a, b) => placeOf(a) - placeOf(b)) };
}

function plannedTier(strategy: Strategy, group: Group, tier: Tier, isPinned: boolean): PlannedTier {
  const { order, candidates } = tier;
  const caps = candidates.map(({ shareMax }) => shareMax);
  if (tier.order === 'fixed') {
    const masses = fixedMasses(caps);
    return { strategy, group, order, candidates, masses, laterMasses: masses, pinWeights: null };
  }
  const limits = tier.floors === undefined ? { caps } : { caps, floors: tier.floors };
  const masses = massesOf(tier.weights, limits);
  const pinWeights = isPinned ? pinWeightsOf(tier.weights, masses, caps) : null;
  const laterMasses =
    tier.later === undefined
      ? masses
      : massesOf(tier.later, { floors: tier.later.map(() => LATER_FLOOR) });
  return { strategy, group, order, candidates, masses, laterMasses, pinWeights };
}

/**
 * The weights themselves, so that a key stays where it is whoever comes or goes; that of one on
 * probation is cut to its share, so that its keys come back as it is trusted again.
 */
function pinWeightsOf(
  weights: readonly number[],
  masses: readonly number[],
  caps: readonly number[],
): readonly number[] {
  let freeWeight = 0;
  let freeMass = 0;
  weights.forEach((weight, i) => {
    if (caps[i]! < 1) return;
    freeWeight += weight;
    freeMass += masses[i]!;
  });
  if (freeMass === 0) return weights;
  return weights.map((weight, i) => {
    if (caps[i]! >= 1) return weight;
    const share = (masses[i]! * freeWeight) / freeMass;
    return share < weight ? share : weight;
  });
}

/**
 * All on the first; where that one is on probation, its share, and what is left to the next ones
 * in the same way.
 */
function fixedMasses(caps: readonly number[]): number[] {
  const isAnyFree = caps.some((cap) => cap >= 1);
  let left = MASS_TOTAL;
  return caps.map((cap) => {
    const mass = isAnyFree ? Math.min(left, Math.floor(cap * MASS_TOTAL)) : left;
    left -= mass;
    return mass;
  });
}
