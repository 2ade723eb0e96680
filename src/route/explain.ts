import type { ModelsValueOffering } from '../hotkeys/values.js';
import type { Board } from './board.js';
import type { Decided, DecisionInput } from './decide.js';
import { type Estimate, type Estimates, meanRatio } from './estimate.js';
import type { Excluded } from './filter.js';
import { type Plan, type PlannedVariant, planOf } from './plan.js';
import { policyInForce } from './policy-in-force.js';
import { EXCLUSIONS } from './reasons.js';
import type { Term } from './strategies/strategy.js';
import { MINUTE_MS, TICK_MS, WINDOW_TICKS } from './ticks.js';

/** What is known of an offering, whether it may be sent to or not. */
export interface Known {
  /** Outcomes that its figures rest on, weighted by age; 0 = those of its model and provider. */
  samples: number;
  /** Outcomes older than this are not read, or are from before a change that was seen. */
  window_ms: number;
  /** A change was seen, and what was before it is left out. */
  changed: boolean;
  /** What may be instead, after a change: it is drawn, or only tried, by how likely it is. */
  alternative: ExplainedAlternative | null;
  /** Since the newest outcome of the kind that was asked for; null = there is none. */
  age_ms: number | null;
  breaker: { state: string; share: number; reason: string | null };
}

export interface ExplainedAlternative {
  probability: number;
  success_ratio: number;
  /** Times as long as what is expected. */
  time_ratio: number;
}

export interface ExplainedCandidate extends Known {
  offering: string;
  /** Those of a later tier are reached only when the earlier ones are used up. */
  tier: number;
  order: 'drawn' | 'fixed';
  /** Of 2^20 decisions those that are sent here first. */
  mass: number;
  /** The same among the ranks after the first. */
  later_mass: number;
  /** What the strategy compares by, less is better; null = nothing. */
  score: number | null;
  /** What the score is made of. */
  terms: Term[];
  /** Times as long as the reference says, that this size takes here beside the usual one. */
  size_time_ratio: number;
}

export interface ExplainedExclusion extends Known, Excluded {
  meaning: string;
}

export interface Explanation {
  strategy: string;
  algorithm: string;
  /** Of the policy, with the share of the decisions that fall into each. */
  variants: { name: string; mass: number }[];
  /** Of the variant that the decision fell into, in the order of its tiers. */
  candidates: ExplainedCandidate[];
  excluded: ExplainedExclusion[];
}

/**
 * Why a decision is as it is: the numbers that it compared, for everybody that it could have named.
 * Pure, of the same input as the decision; nothing is computed that the decision did not read.
 */
export function explanationOf(input: DecisionInput, decided: Decided): Explanation {
  const { board, request, tenant } = input;
  const inForce = policyInForce(board.snapshot, tenant, request.policy);
  const plan = planOf(board, request, inForce);
  const variant = plan.variants.find(({ name }) => name === decided.variant)!;
  return {
    strategy: decided.strategy,
    algorithm: decided.algorithm,
    variants: plan.variants.map(({ name, mass }) => ({ name, mass })),
    candidates: explainedCandidates(board, plan, variant),
    excluded: decided.excluded.map((it) => explainedExclusion(board, it)),
  };
}

function explainedCandidates(
  board: Board,
  { eligible }: Plan,
  { tiers }: PlannedVariant,
): ExplainedCandidate[] {
  const masses = new Map(eligible.map(({ offering, mass }) => [offering, mass]));
  return tiers.flatMap((tier, place) =>
    tier.candidates.map((candidate, index) => ({
      offering: candidate.key,
      tier: place,
      order: tier.order,
      mass: masses.get(candidate.key) ?? 0,
      later_mass: tier.laterMasses[index]!,
      score: tier.strategy.score(candidate, tier.group),
      terms: tier.strategy.terms(candidate, tier.group),
      size_time_ratio: candidate.sizeRatio,
      ...knownOf(board, candidate.view.offering),
    })),
  );
}

function explainedExclusion(board: Board, { offering, reason }: Excluded): ExplainedExclusion {
  const known = board.snapshot.catalogue.offerings.get(offering)!;
  return { offering, reason, meaning: EXCLUSIONS[reason], ...knownOf(board, known) };
}

function knownOf(board: Board, offering: ModelsValueOffering): Known {
  const { estimate, alternative, breaker } = board.view(offering);
  const { state, share, reason } = breaker;
  return {
    samples: estimate.samples,
    window_ms: windowMs(estimate.changedBins),
    changed: estimate.changedBins !== null,
    alternative: alternative === null ? null : explainedAlternative(estimate, alternative),
    age_ms: ageMsOf(board, offering.offering),
    breaker: { state, share, reason },
  };
}

function explainedAlternative(
  { pace }: Estimate,
  { probability, estimate: other }: NonNullable<Estimates['alternative']>,
): ExplainedAlternative {
  const timeRatio =
    meanRatio(other.pace.mean, other.pace.variance) / meanRatio(pace.mean, pace.variance);
  return { probability, success_ratio: other.success.mean, time_ratio: timeRatio };
}

const WINDOW_MS = 30 * MINUTE_MS;

/** The newest bins are ticks, those behind them minutes. */
function windowMs(changedBins: number | null): number {
  if (changedBins === null) return WINDOW_MS;
  const minutes = Math.max(0, changedBins - WINDOW_TICKS);
  return Math.min(changedBins, WINDOW_TICKS) * TICK_MS + minutes * MINUTE_MS;
}

/** By the end of the newest tick or minute that has an outcome, but never below 0. */
function ageMsOf({ snapshot, asOf, stream }: Board, offering: string): number | null {
  const ticks = (snapshot.health?.ticks.get(offering) ?? [])
    .filter((row) => row.stream === stream)
    .map(({ tick }) => (tick + 1) * TICK_MS);
  const minutes = (snapshot.metrics.get(offering)?.minutes ?? [])
    .filter((row) => row.stream === stream)
    .map(({ minute }) => (minute + 1) * MINUTE_MS);
  const ends = [...ticks, ...minutes];
  return ends.length === 0 ? null : Math.max(0, asOf * 1000 - Math.max(...ends));
}
