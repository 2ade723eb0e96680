import { squaresWithin } from './change.js';
import type { Tally } from './tally.js';

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
export const SUCCESS_PSEUDO_SAMPLES = 6;
const PACE_PSEUDO_SAMPLES = 3;
const VARIANCE_PSEUDO_SAMPLES = 6;
/** A failed attempt whose status is not known yet takes two seconds. */
const FAILURE_MS_PRIOR = 2_000;
const FAILURE_PSEUDO_SAMPLES = 2;

/** Of what nothing at all is known: 19 of 20 attempts succeed, as fast as the reference. */
export const DEFAULT_PRIOR: Prior = {
  success: 0.95,
  pace: 0,
  variance: PACE_VARIANCE_PRIOR,
  failureMs: FAILURE_MS_PRIOR,
};

/** A prior never takes a probability for certain: that could not be unlearned. */
const SUCCESS_MIN = 0.001;
/** The same of certain success. */
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

/** How durations scatter is a property of an offering: it outlasts what is known of their mean. */
export function narrowedVariance(prior: Prior, tally: Tally): Prior {
  const variance =
    (VARIANCE_PSEUDO_SAMPLES * prior.variance + squaresWithin(tally)) /
    (VARIANCE_PSEUDO_SAMPLES + tally.paceCount);
  return { ...prior, variance };
}

export function narrowedFailure(prior: Prior, { failure, failureMs: sum }: Tally): Prior {
  const failureMs =
    (FAILURE_PSEUDO_SAMPLES * prior.failureMs + sum) / (FAILURE_PSEUDO_SAMPLES + failure);
  return { ...prior, failureMs };
}
