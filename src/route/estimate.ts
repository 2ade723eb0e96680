import { ratioOfPace } from './arithmetic.js';
import { changesOf, speedUpOf, squaresWithin } from './change.js';
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

/** What is thought of an offering of which nothing is known. */
export interface Prior {
  success: number;
  pace: number;
  /** Of one duration's pace. */
  variance: number;
  /** Of a failed attempt. */
  failureMs: number;
}

/** Variance of pace that is assumed before it is seen: three quarters of an octave, squared. */
const PACE_VARIANCE_PRIOR = 36;

/** What a prior counts for, in outcomes: a handful of its own outweigh it. */
const SUCCESS_PSEUDO_SAMPLES = 6;
const PACE_PSEUDO_SAMPLES = 3;
const VARIANCE_PSEUDO_SAMPLES = 6;
/** Greatest variance of how fast an offering is now, around how fast it was over the last half hour. */
const DRIFT_VARIANCE_MAX = 12;
/** The same of one that became another: two octaves, squared. */
const SPEED_UP_VARIANCE = 256;
/** A failed attempt whose status is not known yet takes two seconds. */
const FAILURE_MS_PRIOR = 2_000;
const FAILURE_PSEUDO_SAMPLES = 2;
/** The same of all failures, beside the newest: one timeout is worth twenty of the others. */
const FAILURE_SAMPLES_OF_ALL = 20;
/** Of what nothing at all is known: 19 of 20 attempts succeed, as fast as the reference. */
export const DEFAULT_PRIOR: Prior = {
  success: 0.95,
  pace: 0,
  variance: PACE_VARIANCE_PRIOR,
  failureMs: FAILURE_MS_PRIOR,
};

/** A prior never takes a probability for certain: that could not be unlearned. */
const SUCCESS_MIN = 0.001;
const SUCCESS_MAX = 0.999;

/** The prior after more general data: the next more special level starts from it. */
export function narrowedSuccess(
  prior: Prior,
  { success, failure }: { success: number; failure: number },
): Prior {
  const mean =
    (SUCCESS_PSEUDO_SAMPLES * prior.success + success) /
    (SUCCESS_PSEUDO_SAMPLES + success + failure);
  return { ...prior, success: Math.min(SUCCESS_MAX, Math.max(SUCCESS_MIN, mean)) };
}

export function narrowedPace(prior: Prior, tally: Tally): Prior {
  const pace =
    (PACE_PSEUDO_SAMPLES * prior.pace + tally.paceSum) / (PACE_PSEUDO_SAMPLES + tally.paceCount);
  return { ...prior, pace };
}

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
  return { ...estimate, pace: { ...pace, mean } };
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
 * What the newest outcomes say, beside all of them without regard to age (`own`). How an offering
 * drifts that is not seen to change is about as much as the newest outcomes leave uncertain, so both
 * count the same; where they are further apart than luck explains, it drifted by that (the positive
 * part of a variance component, Efron and Morris 1973), and the newest count for nearly all.
 */
function narrowedPosterior(prior: Prior, own: Tally, weighted: Tally): Posterior {
  const narrowed = narrowedFailure(
    narrowedVariance(narrowedSuccess(narrowedPace(prior, own), own), own),
    own,
  );
  return {
    success: newestSuccess(narrowed.success, weighted),
    pace: newestPace(narrowed, weighted),
    failureMs:
      (FAILURE_SAMPLES_OF_ALL * narrowed.failureMs + weighted.failureMs) /
      (FAILURE_SAMPLES_OF_ALL + weighted.failure),
    samples: weighted.success + weighted.failure,
  };
}

function newestSuccess(usual: number, { success, failure }: Tally): SuccessEstimate {
  const count = success + failure;
  const variance = usual * (1 - usual);
  const drift = count === 0 ? Infinity : driftOf(variance / count, success / count - usual);
  const pseudoSamples = Math.max(SUCCESS_PSEUDO_SAMPLES, variance / drift);
  const alpha = pseudoSamples * usual + success;
  const beta = pseudoSamples * (1 - usual) + failure;
  return { alpha, beta, mean: alpha / (alpha + beta) };
}

function newestPace(usual: Prior, tally: Tally): PaceEstimate {
  const { paceCount: count, paceSum: sum } = tally;
  const prior = narrowedVariance(usual, tally);
  const drift = count === 0 ? Infinity : driftOf(prior.variance / count, sum / count - prior.pace);
  return paceAround(prior, tally, Math.min(DRIFT_VARIANCE_MAX, drift));
}

/** Variance of a drift, where a mean of variance `noise` is so far from the usual one. */
const driftOf = (noise: number, difference: number): number =>
  Math.max(noise, difference * difference - noise);

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
  };
}

/** How durations scatter is a property of an offering: it outlasts what is known of their mean. */
function narrowedVariance(prior: Prior, tally: Tally): Prior {
  const variance =
    (VARIANCE_PSEUDO_SAMPLES * prior.variance + squaresWithin(tally)) /
    (VARIANCE_PSEUDO_SAMPLES + tally.paceCount);
  return { ...prior, variance };
}

function narrowedFailure(prior: Prior, { failure, failureMs: sum }: Tally): Prior {
  const failureMs =
    (FAILURE_PSEUDO_SAMPLES * prior.failureMs + sum) / (FAILURE_PSEUDO_SAMPLES + failure);
  return { ...prior, failureMs };
}

/**
 * Times the reference that an answer takes on average. Durations are log-normal, so the mean is
 * above the median by exp(σ²/2), which is 2^(ln 2 / 16 · variance / 8) in eighths of an octave.
 */
export function meanRatio(meanPace: number, variance: number): number {
  return ratioOfPace(meanPace + (Math.LN2 / 16) * variance);
}
