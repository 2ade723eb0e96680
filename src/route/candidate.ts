import { generationOf, referenceMs } from '../fold/reference.js';
import type { ModelsValueOffering } from '../hotkeys/values.js';
import { ratioOfPace } from './arithmetic.js';
import type { Board, OfferingView } from './board.js';
import { type Estimate, meanRatio } from './estimate.js';
import type { VariantRules } from './policy.js';
import { costNanoUsd, type RequestSize } from './price.js';
import { overriddenBy, tierNumberOf } from './target.js';

/** An offering that fits a request, with what it is expected to take of a size. */
export interface Candidate {
  view: OfferingView;
  /** Key text of the offering. */
  key: string;
  /** Of the policy, else of the catalogue; above 0. */
  weight: number;
  /** Lower numbers come first: the tier of the policy, else the priority of the catalogue. */
  priority: number;
  /** Greatest share while its breaker is half open; 1 = no limit. */
  shareMax: number;
  /** Times as long as at the usual size, beside the reference: what the offering makes of the size. */
  sizeRatio: number;
  /** What an answer of the size would take at pace 0 (see `sizedReferenceMs`). */
  referenceMs: number;
  /** Mean time of an answer of the size here. */
  durationMs: number;
  /** Cost of the size in nano-USD; null = unknown. */
  costNanoUsd: number | null;
}

/** What a second of waiting is worth, in nano-USD: a tenth of a cent. */
const VALUE_OF_SECOND_NANO_USD = 1_000_000;

export function candidateOf(
  board: Board,
  offering: ModelsValueOffering,
  { size, weights, tiers }: { size: RequestSize } & Pick<VariantRules, 'weights' | 'tiers'>,
): Candidate {
  const view = board.view(offering);
  const { mean, variance } = view.estimate.pace;
  const sizeRatio = sizeRatioOf(view, size);
  const reference = referenceMs(size.inputTokens, size.outputTokens) * sizeRatio;
  return {
    view,
    key: offering.offering,
    weight: overriddenBy(weights, offering) ?? offering.weight,
    priority: tiers.length === 0 ? offering.priority : tierNumberOf(tiers, offering),
    // Open here means that all are open, and count as closed.
    shareMax: view.breaker.state === 'open' ? 1 : view.breaker.share,
    sizeRatio,
    referenceMs: reference,
    durationMs: reference * meanRatio(mean, variance),
    costNanoUsd: costNanoUsd(view.tiers, size),
  };
}

/**
 * What an answer of the size takes at a plain offering, times what the offering's own dependence on the
 * size makes of it: its pace is known for the usual size.
 */
export function sizedReferenceMs(view: OfferingView, size: RequestSize): number {
  return referenceMs(size.inputTokens, size.outputTokens) * sizeRatioOf(view, size);
}

function sizeRatioOf(
  { size: { slope, usual } }: OfferingView,
  { inputTokens, outputTokens }: RequestSize,
): number {
  return ratioOfPace(slope * (generationOf(inputTokens, outputTokens) - usual));
}

/**
 * g = price + v·E[time] + v·E[time of a failure]·(1 − p)/p: what one success is expected to cost,
 * in nano-USD, if the offering is tried until it succeeds: it is billed for the success alone, but
 * (1 − p)/p attempts fail before it. In ascending g is the best order of a list that is tried one
 * after the other, if failures are independent. An unknown price counts as none here, so compare
 * only candidates whose price is known.
 */
export function costOfSuccess(candidate: Candidate): number {
  return costOfSuccessBy(candidate, candidate.view.estimate);
}

/** The same for another estimate. */
export function costOfSuccessBy(
  { costNanoUsd: price, referenceMs }: Candidate,
  { success, pace, failureMs }: Pick<Estimate, 'success' | 'pace' | 'failureMs'>,
): number {
  const failures = (1 - success.mean) / success.mean;
  const durationMs = referenceMs * meanRatio(pace.mean, pace.variance);
  return (price ?? 0) + timeValueOf(durationMs + failureMs * failures);
}

/** What a time is worth, in nano-USD. */
export function timeValueOf(durationMs: number): number {
  return (VALUE_OF_SECOND_NANO_USD / 1000) * durationMs;
}
