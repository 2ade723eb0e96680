import { AiRouterError } from '../errors.js';
import type { Board } from './board.js';
import type { Candidate } from './candidate.js';
import type { Excluded } from './filter.js';
import { MASS_TOTAL, massesOf } from './masses.js';
import { hasPreferences, meetsPreferences } from './preference.js';
import type { RequestSize } from './price.js';
import type { Degradation } from './reasons.js';
import { type ProviderPreferences, providerNames, type RouteRequest } from './request.js';
import { classOfSize, sizeOf } from './request-size.js';
import { type Sifted, sift } from './sift.js';
import { STRATEGIES } from './strategies/registry.js';
import { byScore, type Group, type Strategy, type Tier } from './strategies/strategy.js';

/** Candidates that stand together, with what the first rank is drawn by. */
export interface PlannedTier {
  /** What ranks it, and among whom: together they name the terms of each score. */
  strategy: Strategy;
  group: Group;
  order: Tier['order'];
  candidates: readonly Candidate[];
  /** Sum 2^20. In a fixed order they are for the first rank alone. */
  masses: readonly number[];
}

/**
 * Everything of a decision but the draw: a pure function of the board and the request without its
 * id. Requests that ask the same of one second share it.
 */
export interface Plan {
  strategy: Strategy;
  /** At least one, none empty. */
  tiers: readonly PlannedTier[];
  /** Every candidate with its mass at the first rank: sum 2^20, later tiers have 0. */
  eligible: readonly { offering: string; mass: number }[];
  excluded: readonly Excluded[];
  degraded: readonly Degradation[];
  /** The best of the first tier by its score; null where nothing was compared. */
  best: Candidate | null;
}

/**
 * The plan of a request. Throws `model_not_found` and `no_eligible_offering`, and `invalid_request`
 * for what its schema cannot say.
 */
export function planOf(board: Board, request: RouteRequest): Plan {
  const { model, models, model_set, tried, require, provider } = request;
  const size = classOfSize(sizeOf(board, firstModelOf(request), request));
  const { strategy, latency } = request;
  const key = [model, models, model_set, strategy, tried, require, provider, latency, size];
  return board.plan(JSON.stringify(key), () => makePlan(board, request, size));
}

/** The one whose usual size stands for what the request does not say. */
export function firstModelOf({ model, models, model_set }: RouteRequest): string {
  return model ?? models?.[0] ?? model_set?.[0] ?? '';
}

function makePlan(board: Board, request: RouteRequest, size: RequestSize): Plan {
  const strategy = strategyOf(request);
  const sifted = sift(board, request, size, isOrderBinding(request, strategy));
  const isCold = board.snapshot.state === null;
  const groups = groupsOf(board, sifted.groups, request);
  const planned = groups.flatMap((group) => {
    const tiers = isCold ? coldTiers(board, group) : warmTiers(strategy, group);
    return tiers.map((tier) => plannedTier(strategy, group, tier));
  });
  return {
    strategy,
    tiers: planned,
    eligible: planned.flatMap(({ candidates, masses }, tier) =>
      candidates.map(({ key }, i) => ({ offering: key, mass: tier === 0 ? masses[i]! : 0 })),
    ),
    excluded: sifted.excluded,
    degraded: degradationOf(board, sifted, strategy.isBlind?.(groups[0]!) ?? false),
    best: isCold ? null : bestOf(planned[0]!),
  };
}

/** Those that meet the preferred latency and throughput stand before all others, whatever model. */
function groupsOf(
  board: Board,
  sifted: Sifted['groups'],
  { provider: preferences = {}, latency = {} }: RouteRequest,
): Group[] {
  const groupOf = (candidates: readonly Candidate[], isPreferred: boolean): Group => ({
    board,
    candidates,
    preferences,
    latency,
    isPreferred,
  });
  if (!hasPreferences(preferences)) return sifted.map((candidates) => groupOf(candidates, true));
  const meets = (it: Candidate): boolean => meetsPreferences(board.evidence, it, preferences);
  return [true, false].flatMap((isPreferred) =>
    sifted
      .map((candidates) => candidates.filter((it) => meets(it) === isPreferred))
      .filter((candidates) => candidates.length > 0)
      .map((candidates) => groupOf(candidates, isPreferred)),
  );
}

const BY_SORT = {
  price: 'cost_optimized',
  throughput: 'throughput',
  latency: 'response_time',
} as const;

function strategyOf({ strategy: named, provider }: RouteRequest): Strategy {
  const sorted = provider?.sort === undefined ? undefined : BY_SORT[provider.sort];
  if (named !== undefined && sorted !== undefined && named !== sorted) {
    throw broken('provider.sort', `absent, or the same as strategy ${named}`);
  }
  const strategy = STRATEGIES.get(sorted ?? named ?? 'auto');
  if (strategy === undefined) {
    throw broken('strategy', `one of ${[...STRATEGIES.keys()].join(', ')}`);
  }
  const isNamed = (provider?.only?.length ?? 0) + (provider?.order?.length ?? 0) > 0;
  if (strategy.name === 'specified_provider' && !isNamed) {
    throw broken('provider.only', 'given with strategy specified_provider');
  }
  return strategy;
}

function broken(field: string, rule: string): AiRouterError {
  return new AiRouterError('invalid_request', `${field} must be ${rule}`, { field, rule });
}

/** Whether `provider.order` names all that may be used, rather than those to be used first. */
function isOrderBinding({ provider }: RouteRequest, strategy: Strategy): boolean {
  return provider?.allow_fallbacks === false || strategy.name === 'specified_provider';
}

/** A preferred order of providers takes the balancing off. */
function warmTiers(strategy: Strategy, group: Group): Tier[] {
  const { candidates, preferences } = group;
  if (preferences.order === undefined || preferences.order.length === 0) {
    return strategy.tiers(group);
  }
  const ranked = byScore(candidates, (it) => strategy.score(it, group));
  return [inProviderOrder(ranked, preferences)];
}

/** Nothing is known: the order is that of the catalogue. */
function coldTiers({ snapshot }: Board, { candidates, preferences }: Group): Tier[] {
  const byKey = new Map(candidates.map((candidate) => [candidate.key, candidate]));
  const ranked = [...snapshot.catalogue.offerings.keys()].flatMap((key) => byKey.get(key) ?? []);
  return [inProviderOrder(ranked, preferences)];
}

/** Those of the named providers first, as they are named, then the others; else as ranked. */
function inProviderOrder(ranked: readonly Candidate[], preferences: ProviderPreferences): Tier {
  const order = providerNames(preferences.order);
  const placeOf = ({ view }: Candidate): number => {
    const place = order.indexOf(view.offering.provider);
    return place === -1 ? order.length : place;
  };
  return { order: 'fixed', candidates: ranked.toSorted((a, b) => placeOf(a) - placeOf(b)) };
}

function plannedTier(strategy: Strategy, group: Group, tier: Tier): PlannedTier {
  const { order, candidates } = tier;
  const caps = candidates.map(({ shareMax }) => shareMax);
  if (tier.order === 'drawn') {
    const limits = tier.floors === undefined ? { caps } : { caps, floors: tier.floors };
    return { strategy, group, order, candidates, masses: massesOf(tier.weights, limits) };
  }
  return { strategy, group, order, candidates, masses: fixedMasses(caps) };
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

function degradationOf(
  board: Board,
  { groups, isFailOpen }: Sifted,
  isBlind: boolean,
): Degradation[] {
  const degraded: Degradation[] = [];
  if (isFailOpen) degraded.push('all_open');
  if (board.snapshot.state === null) return [...degraded, 'no_cache'];
  const isMeasured = groups.some((group) => group.some(({ view }) => view.estimate.samples > 0));
  return isMeasured && !isBlind ? degraded : [...degraded, 'no_metrics'];
}

/** One on probation is chosen to be tried, not because it is the best. */
function bestOf({ strategy, group, order, candidates }: PlannedTier): Candidate | null {
  const score = (candidate: Candidate): number | null => strategy.score(candidate, group);
  const free = candidates.filter(({ shareMax }) => shareMax >= 1);
  const fit = free.length === 0 ? candidates : free;
  if (order === 'fixed') return fit[0]!;
  const best = byScore(fit, score)[0]!;
  return score(best) === null ? null : best;
}
