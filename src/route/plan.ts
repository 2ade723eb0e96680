import { AiRouterError } from '../errors.js';
import type { Board } from './board.js';
import type { Candidate } from './candidate.js';
import { type Asked, askedBy, type Draft, draftOf, NO_RULES, sizeIn } from './draft.js';
import type { Excluded } from './filter.js';
import { MASS_TOTAL, massesOf, scaledMasses } from './masses.js';
import type { PolicyInForce } from './policy-in-force.js';
import { hasPreferences, meetsPreferences } from './preference.js';
import type { Degradation } from './reasons.js';
import { namesOf, type ProviderPreferences, type RouteRequest } from './request.js';
import { NoEligibleOffering, type Sifted } from './sift.js';
import { byPriority, type Group, type Strategy } from './strategies/strategy.js';
import { bestOf, type PlannedTier, tiersOf } from './tiers.js';

/** What is decided where a decision falls into one variant of its policy. */
export interface PlannedVariant {
  /** Empty where there are no variants: there is one then. */
  name: string;
  /** Of 2^20 decisions those that fall here. */
  mass: number;
  /** Of the policy, as it stands there. */
  percent: number;
  strategy: Strategy;
  /** Of the request, and of the policy above it. */
  preferences: ProviderPreferences;
  /** Its own, then those of the other variants, as fallbacks; at least one, none empty. */
  tiers: readonly PlannedTier[];
  /** The first rank in the first tier; sum = `mass`. */
  firstMasses: readonly number[];
  /** The best of the first tier by its score; null where nothing was compared. */
  best: Candidate | null;
}

/**
 * Everything of a decision but the draws: a pure function of the board, the policy and the request
 * without its id. Requests that ask the same of one second share it.
 */
export interface Plan {
  /** Those that have somebody; at least one, sum of masses 2^20. */
  variants: readonly PlannedVariant[];
  /** Every candidate with its mass at the first rank: sum 2^20, later tiers have 0. */
  eligible: readonly { offering: string; mass: number }[];
  excluded: readonly Excluded[];
  degraded: readonly Degradation[];
}

/**
 * The plan of a request. Throws `model_not_found` and `no_eligible_offering`, and `invalid_request`
 * for what its schema cannot say.
 */
export function planOf(
  board: Board,
  request: RouteRequest,
  inForce: PolicyInForce | null = null,
): Plan {
  const { model, models, model_set, strategy, tried, require, provider, latency } = request;
  const key = [model, models, model_set, strategy, tried, require, provider, latency];
  const again = (other: Board): void => {
    planOf(other, request, inForce);
  };
  if (inForce === null) {
    const size = sizeIn(board, request, request);
    return board.plan({
      key: JSON.stringify([...key, size]),
      models: namesOf(request),
      make: () => makePlan(board, [{ rules: NO_RULES, request, limits: request, size }], false),
      again,
    });
  }
  const { policy, rules } = inForce;
  // Where all variants ask for the same models, they ask for the same size.
  const sizes = rules.variants.some(({ models }) => models !== null)
    ? rules.variants.map((variant) => askedBy(board, request, variant).size)
    : sizeIn(board, request, request);
  return board.plan({
    key: JSON.stringify([...key, sizes, policy.hash, rules.tenant]),
    models: [...namesOf(request), ...rules.variants.flatMap((variant) => variant.models ?? [])],
    make: () => {
      const asked = rules.variants.map((variant) => askedBy(board, request, variant));
      return makePlan(board, asked, rules.unit === 'sticky');
    },
    again,
  });
}

function makePlan(board: Board, asked: readonly Asked[], isSticky: boolean): Plan {
  const drafts = asked.map((it) => draftOf(board, it));
  const used = usedOf(drafts);
  const masses =
    used.length === 1
      ? [MASS_TOTAL]
      : massesOf(
          used.map(({ asked: { rules } }) => rules.percent),
          { floors: used.map(() => 1) },
        );
  const groups = used.map((draft) => groupsOf(board, draft));
  const own = used.map(({ strategy }, i) =>
    groups[i]!.flatMap((group) => tiersOf(strategy, group, isSticky)),
  );
  const variants = used.map(({ asked: { rules, request }, strategy }, i): PlannedVariant => {
    const others = own.filter((_, other) => other !== i).flat();
    const first = own[i]![0]!;
    return {
      name: rules.name,
      mass: masses[i]!,
      percent: rules.percent,
      strategy,
      preferences: request.provider ?? {},
      tiers: [...own[i]!, ...others],
      firstMasses: used.length === 1 ? first.masses : scaledMasses(first.masses, masses[i]!),
      best: board.snapshot.state === null ? null : bestOf(first),
    };
  });
  const eligible = eligibleOf(variants);
  const isBlind = used.some(({ strategy }, i) => strategy.isBlind?.(groups[i]![0]!) ?? false);
  return {
    variants,
    eligible,
    excluded: excludedOf(drafts, eligible),
    degraded: degradationOf(board, used, isBlind),
  };
}

/** Variants that have somebody whose breaker is not open; where none has, those that have anybody. */
function usedOf(drafts: readonly Draft[]): readonly Draft[] {
  const withSomebody = drafts.filter(({ sifted }) => sifted.groups.length > 0);
  if (withSomebody.length === 0) throw nobody(drafts);
  const closed = withSomebody.filter(({ sifted }) => !sifted.isFailOpen);
  return closed.length > 0 ? closed : withSomebody;
}

function nobody(drafts: readonly Draft[]): AiRouterError {
  if (drafts.some(({ sifted }) => sifted.isModelKnown)) {
    return new NoEligibleOffering(excludedOf(drafts, []));
  }
  const { model, models } = drafts[0]!.asked.request;
  return new AiRouterError('model_not_found', 'no offering of the named models is known', {
    field: model === undefined ? (models === undefined ? 'model_set' : 'models') : 'model',
    rule: 'in the catalogue',
  });
}

/** Why nobody may be sent to who is eligible nowhere, as the first variant says that knows it. */
function excludedOf(drafts: readonly Draft[], eligible: Plan['eligible']): readonly Excluded[] {
  if (drafts.length === 1) return drafts[0]!.sifted.excluded;
  const told = new Set(eligible.map(({ offering }) => offering));
  return drafts
    .flatMap(({ sifted }) => [...openCandidates(sifted), ...sifted.excluded])
    .filter(({ offering }) => !told.has(offering) && told.add(offering));
}

/** Those of a variant that gives way to others, since all of its breakers are open. */
function openCandidates({ groups, isFailOpen }: Sifted): Excluded[] {
  if (!isFailOpen) return [];
  return groups.flat().flatMap(({ key, view }): Excluded[] => {
    const { reason } = view.breaker;
    return reason === null ? [] : [{ offering: key, reason: `open_${reason}` }];
  });
}

function eligibleOf(variants: readonly PlannedVariant[]): Plan['eligible'] {
  const masses = new Map<string, number>();
  for (const { tiers, firstMasses } of variants) {
    tiers.forEach(({ candidates }, tier) => {
      candidates.forEach(({ key }, i) => {
        const mass = tier === 0 ? firstMasses[i]! : 0;
        masses.set(key, (masses.get(key) ?? 0) + mass);
      });
    });
  }
  return [...masses].map(([offering, mass]) => ({ offering, mass }));
}

/**
 * Who is compared with whom: those that meet the preferred latency and throughput before all
 * others, whatever model; then model by model as they are preferred, and tier by tier of the policy.
 */
function groupsOf(board: Board, { asked, sifted }: Draft): Group[] {
  const { provider: preferences = {}, latency = {} } = asked.request;
  const groupOf = (candidates: readonly Candidate[], isPreferred: boolean): Group => ({
    board,
    candidates,
    preferences,
    latency,
    isPreferred,
  });
  const lists = asked.rules.tiers.length === 0 ? sifted.groups : sifted.groups.flatMap(byPriority);
  if (!hasPreferences(preferences)) return lists.map((candidates) => groupOf(candidates, true));
  const meets = (it: Candidate): boolean => meetsPreferences(board.evidence, it, preferences);
  return [true, false].flatMap((isPreferred) =>
    lists
      .map((candidates) => candidates.filter((it) => meets(it) === isPreferred))
      .filter((candidates) => candidates.length > 0)
      .map((candidates) => groupOf(candidates, isPreferred)),
  );
}

function degradationOf(board: Board, used: readonly Draft[], isBlind: boolean): Degradation[] {
  const degraded: Degradation[] = [];
  if (used[0]!.sifted.isFailOpen) degraded.push('all_open');
  if (board.snapshot.state === null) return [...degraded, 'no_cache'];
  const isMeasured = used.some(({ sifted }) =>
    sifted.groups.some((group) => group.some(({ view }) => view.estimate.samples > 0)),
  );
  return isMeasured && !isBlind ? degraded : [...degraded, 'no_metrics'];
}
