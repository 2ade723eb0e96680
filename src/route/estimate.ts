import { ratioOfPace } from './arithmetic.js';
import { changesOf, speedUpOf } from './change.js';
import {
  narrowedFailure,
  narrowedPace,
  narrowedSuccess,
  narrowedVariance,
  type Prior,
  SUCCESS_PSEUDO_SAMPLES,
} from './prior.js';
import { recoveryOf } from './recovery.js';
import type { SizeSlope } from './size-slope.js';
import { addTally, emptyTally, type Tally } from './tally.js';
import { TICK_MS } from './ticks.js';
import { secondsOf, sumBins, type Window } from './window.js';

/** Beta distribution of the probability that an attempt succeeds. */
export interface SuccessEstimate {
  alpha: number;
  beta: number;
  mean: number;
}

/** Normal distribution of the mean pace at the usual size, eighths of an octave over the reference. */
export interface PaceEstimate {
  mean: number;
  /** Standard deviation of the mean. */
  deviation: number;
  /** Variance of one duration's pace around the mean. */
  variance: number;
  /** What part of the mean is of the newest outcomes; the rest is of the half hour. */
  newestPart: number;
}

export interface Estimate {
  success: SuccessEstimate;
  pace: PaceEstimate;
  /** Mean time of a failed attempt, as far as its status tells. */
  failureMs: number;
  /** Outcomes that it rests on, weighted; 0 = the prior alone. */
  samples: number;
  /** Newest bins of the window, where only these count; null = no change was seen. */
  changedBins: number | null;
  /** The same since the greatest change of the last half hour, before which all was as usual. */
  unusualBins: number | null;
}

type Posterior = Omit<Estimate, 'changedBins' | 'unusualBins'>;

export interface Estimates {
  /** The likelier one. */
  estimate: Estimate;
  /** What may be instead; null = nothing says so. */
  alternative: { estimate: Estimate; probability: number } | null;
  /** Since its newest outcome. */
  quietSeconds: number;
  size: SizeSlope;
}

/** Greatest variance of how fast an offering is now, around how fast it was over the last half hour. */
const DRIFT_VARIANCE_MAX = 12;
/** The same of one that became another: two octaves, squared. */
const SPEED_UP_VARIANCE = 256;
/** What few answers leave open is hoped for in part: of its standard deviation so much. */
const SPEED_UP_HOPE = 0.5;
/** The same of all failures, beside the newest: one timeout is worth twenty of the others. */
const FAILURE_SAMPLES_OF_ALL = 20;

/**
 * What a window says. After a change it is what followed it, or all is as before again, each with its
 * probability. `prior` is that of the offering's provider and model; the offering's own half hour,
 * without regard to age, narrows it.
 */
export function estimatesOf(prior: Prior, window: Window): Estimates {
  const common = { quietSeconds: quietSecondsOf(window), size: window.size };
  const changes = changesOf(window);
  if (changes === null) {
    const unchanged = { changedBins: null, unusualBins: null };
    const estimate = { ...posteriorOf(prior, window, window.bins.length), ...unchanged };
    const faster = fasterThan(estimate, window);
    const alternative = faster === null ? null : { estimate: faster, probability: 0 };
    return { estimate, alternative, ...common };
  }
  const { newest: changedBins, first: unusualBins } = changes;
  const changed = { ...posteriorOf(prior, window, changedBins), changedBins, unusualBins };
  const { probability, shares } = recoveryOf(window, unusualBins);
  const usual = { ...posteriorAsBefore(prior, window, shares), changedBins: null, unusualBins };
  return probability < 0.5
    ? { estimate: changed, alternative: { estimate: usual, probability }, ...common }
    : {
        estimate: usual,
        alternative: { estimate: changed, probability: 1 - probability },
        ...common,
      };
}

/**
 * That the newest answers, too few to be a change, show how fast the offering is now; null = they
 * are not so fast. Not more likely than that it was luck, but worth a few tries.
 */
function fasterThan(estimate: Estimate, window: Window): Estimate | null {
  const speedUpBins = speedUpOf(window);
  if (speedUpBins === null) return null;
  const { pace } = estimate;
  const newest = emptyTally();
  for (let i = 0; i < speedUpBins; i++) addTally(newest, window.bins[i]!);
  const precision = 1 / SPEED_UP_VARIANCE + newest.paceCount / pace.variance;
  const mean = (pace.mean / SPEED_UP_VARIANCE + newest.paceSum / pace.variance) / precision;
  return { ...estimate, pace: { ...pace, mean: mean - SPEED_UP_HOPE / Math.sqrt(precision) } };
}

/** Since the middle of the newest bin with an outcome. */
function quietSecondsOf({ bins }: Window): number {
  const newest = bins.findIndex(({ success, failure }) => success + failure > 0);
  return secondsOf(newest === -1 ? bins.length : newest) + TICK_MS / 2_000;
}

/** Of the newest bins alone. */
function posteriorOf(prior: Prior, window: Window, bins: number) {
  const own = emptyTally();
  for (let i = 0; i < bins; i++) addTally(own, window.bins[i]!);
  return narrowedPosterior(prior, own, sumBins(window, 0, bins));
}

/** Of all that is older than the change, and of what is newer by its share. */
function posteriorAsBefore(prior: Prior, { bins, weights }: Window, shares: readonly number[]) {
  const own = emptyTally();
  const weighted = emptyTally();
  bins.forEach((bin, i) => {
    const share = i < shares.length ? shares[i]! : 1;
    addTally(own, bin, share);
    addTally(weighted, bin, share * weights[i]!);
  });
  return narrowedPosterior(prior, own, weighted);
}

/**
 * What all outcomes say without regard to age (`own`), and the newest a second time: an offering that
 * is not seen to change is taken to drift by as much as its half hour leaves uncertain.
 */
function narrowedPosterior(prior: Prior, own: Tally, weighted: Tally): Posterior {
  const narrowed = narrowedFailure(
    narrowedVariance(narrowedSuccess(narrowedPace(prior, own), own), own),
    own,
  );
  return {
    success: newestSuccess(narrowed.success, own.success + own.failure, weighted),
    pace: newestPace(narrowed, own.paceCount, weighted),
    failureMs:
      (FAILURE_SAMPLES_OF_ALL * narrowed.failureMs + weighted.failureMs) /
      (FAILURE_SAMPLES_OF_ALL + weighted.failure),
    samples: weighted.success + weighted.failure,
  };
}

function newestSuccess(
  usual: number,
  usualCount: number,
  { success, failure }: Tally,
): SuccessEstimate {
  const pseudoSamples = Math.max(SUCCESS_PSEUDO_SAMPLES, usualCount);
  const alpha = pseudoSamples * usual + success;
  const beta = pseudoSamples * (1 - usual) + failure;
  return { alpha, beta, mean: alpha / (alpha + beta) };
}

function newestPace(usual: Prior, usualCount: number, tally: Tally): PaceEstimate {
  const prior = narrowedVariance(usual, tally);
  const drift = Math.min(DRIFT_VARIANCE_MAX, prior.variance / usualCount);
  return paceAround(prior, tally, drift);
}

/** Pace of the newest minutes alone, over the same prior. */
export function paceOf(prior: Prior, tally: Tally): PaceEstimate {
  return paceAround(narrowedVariance(prior, tally), tally, DRIFT_VARIANCE_MAX);
}

/** `variance` is that of one duration, already narrowed. */
function paceAround({ pace, variance }: Prior, tally: Tally, drift: number): PaceEstimate {
  const precision = 1 / drift + tally.paceCount / variance;
  return {
    mean: (pace / drift + tally.paceSum / variance) / precision,
    deviation: Math.sqrt(1 / precision),
    variance,
    newestPart: tally.paceCount / variance / precision,
  };
}

/**
 * Times the reference that an answer takes on average. Durations are log-normal, so the mean is
 * above the median by exp(σ²/2), which is 2^(ln 2 / 16 · variance / 8) in eighths of an octave.
 */
export function meanRatio(meanPace: number, variance: number): number {
  return ratioOfPace(meanPace + (Math.LN2 / 16) * variance);
}
