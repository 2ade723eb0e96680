import type { Uuid } from '../event/outcome.js';
import { ratioOfPace } from './arithmetic.js';
import type { Board } from './board.js';
import { type Candidate, sizedReferenceMs } from './candidate.js';
import type { Excluded } from './filter.js';
import { type Plan, type PlannedVariant, planOf } from './plan.js';
import { policyInForce } from './policy-in-force.js';
import { costNanoUsd, type RequestSize } from './price.js';
import type { Degradation, Remark } from './reasons.js';
import type { ProviderPreferences, RouteRequest } from './request.js';
import { sizeOf } from './request-size.js';
import { slateOf } from './slate.js';
import type { Ranked } from './tiers.js';
import { type Unit, unitsOf } from './unit.js';

export interface DecisionInput {
  /** The state as of the second of `decidedAtMs`, for the request's kind of answer. */
  board: Board;
  /** Milliseconds since the epoch. */
  decidedAtMs: number;
  staleAfterMs: number;
  tenant: string;
  request: RouteRequest;
  decisionId: Uuid;
}

/** A candidate as it is answered. */
export interface RankedOffering {
  offering: string;
  model: string;
  provider: string;
  deployment: string;
  region: string;
  /** What the provider calls the model. */
  call_as: string;
  rank: number;
  propensity: number;
  /** What the strategy compares by, less is better; null = nothing. */
  score: number | null;
  expected: {
    duration_ms_p50: number;
    ttft_ms_p50: number | null;
    cost_nano_usd: number | null;
    success_ratio: number;
  };
  reasons: Remark[];
}

export interface Decided {
  decisionId: Uuid;
  /** Empty = none was in force. */
  policy: string;
  policyHash: string;
  /** Of the policy, the one that the decision fell into; empty = it has none. */
  variant: string;
  strategy: string;
  algorithm: string;
  /** What fell into the variant. */
  unit: Unit;
  /** By rank. */
  candidates: RankedOffering[];
  /** Masses of the first rank, sum 2^20; those of later tiers have 0. */
  eligible: Plan['eligible'];
  excluded: readonly Excluded[];
  explored: boolean;
  degraded: Degradation[];
  /** Age of the state at `decidedAtMs`; null = there is none. */
  ageMs: number | null;
}

/**
 * Decides. Pure: the same input gives the same bytes, in every process and at any later time.
 * Throws `model_not_found`, `no_eligible_offering` and `invalid_request`.
 */
export function decide(input: DecisionInput): Decided {
  const { board, request, decisionId, tenant } = input;
  const inForce = policyInForce(board.snapshot, tenant, request.policy);
  const plan = planOf(board, request, inForce);
  const units = unitsOf(inForce, { request, decisionId, asOf: board.asOf });
  const limitIn = (it: PlannedVariant): number => limitOf(request.limit, it.preferences);
  const { variant, ranked } = slateOf(plan.variants, limitIn, units);
  const isExplored = isBehindBest(variant, ranked[0]!);
  const ageMs = ageOf(board, input.decidedAtMs);
  const isStale = ageMs !== null && ageMs > input.staleAfterMs;
  return {
    decisionId,
    policy: inForce?.policy.name ?? '',
    policyHash: inForce?.policy.hash ?? '',
    variant: variant.name,
    strategy: variant.strategy.name,
    algorithm: variant.strategy.algorithm,
    unit: units.split,
    candidates: ranked.map((entry, rank) => answer(input, entry, rank, isExplored)),
    eligible: plan.eligible,
    excluded: plan.excluded,
    explored: isExplored,
    degraded: isStale ? ['stale', ...plan.degraded] : [...plan.degraded],
    ageMs,
  };
}

/** Equals of the best are no exploring; one on probation is, whatever its score. */
function isBehindBest({ tiers, best }: PlannedVariant, { candidate, tier }: Ranked): boolean {
  if (best === null || candidate === best) return false;
  const { strategy, group } = tiers[0]!;
  const isEqual = strategy.score(candidate, group) === strategy.score(best, group);
  return tier !== tiers[0] || candidate.shareMax < 1 || !isEqual;
}

/** Without fallbacks only the first is named, unless the caller's own order binds the list. */
function limitOf(limit: number, preferences: ProviderPreferences): number {
  const isSingle = preferences.allow_fallbacks === false && (preferences.order?.length ?? 0) === 0;
  return isSingle ? 1 : limit;
}

/** Freshness is that of the lane `health`, which is written at once. */
function ageOf({ snapshot }: Board, decidedAtMs: number): number | null {
  const lane = snapshot.state?.lanes.health ?? snapshot.state?.lanes.metrics ?? null;
  return lane === null ? null : Math.max(0, decidedAtMs - lane.writtenAtMs);
}

function answer(
  { board, request }: DecisionInput,
  { candidate, tier, propensity }: Ranked,
  rank: number,
  isExplored: boolean,
): RankedOffering {
  const { offering, estimate, tiers } = candidate.view;
  const size: RequestSize = sizeOf(board, offering.model, request);
  const reference = sizedReferenceMs(candidate.view, size);
  return {
    offering: candidate.key,
    model: offering.model,
    provider: offering.provider,
    deployment: offering.deployment,
    region: offering.region,
    call_as: offering.call_as,
    rank,
    propensity,
    score: tier.strategy.score(candidate, tier.group),
    expected: {
      duration_ms_p50: Math.round(reference * ratioOfPace(estimate.pace.mean)),
      ttft_ms_p50: request.stream ? board.evidence.measured.ttftMsP50(candidate.key) : null,
      cost_nano_usd: costNanoUsd(tiers, size),
      success_ratio: estimate.success.mean,
    },
    reasons: remarksOf(candidate, tier.group.isPreferred, rank === 0 && isExplored),
  };
}

function remarksOf(
  { view, costNanoUsd }: Candidate,
  isPreferred: boolean,
  isExplored: boolean,
): Remark[] {
  const remarks: Remark[] = [];
  if (view.estimate.samples === 0) remarks.push('no_data');
  if (view.estimate.changedBins !== null) remarks.push('changed');
  if (costNanoUsd === null) remarks.push('price_unknown');
  if (!isPreferred) remarks.push('below_preference');
  if (view.breaker.state === 'half_open') remarks.push('half_open');
  if (view.breaker.state === 'open') remarks.push('fail_open');
  if (isExplored) remarks.push('explored');
  return remarks;
}
