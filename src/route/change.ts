import { naturalLog } from './arithmetic.js';
import { sumTicks, type Tally, WINDOW_TICKS, type Window } from './window.js';

/**
 * How much more likely the data are with a change than without, as a natural logarithm, before a
 * change is believed. With two parameters the tail is about e^-12; an offering is tested 17,280
 * times a day over up to 24 overlapping suffixes, which makes less than one false change a day.
 * A false one costs little: older data are left out.
 */
const THRESHOLD = 12;
/** Outcomes that must stand on the older side, lest a first failure be a change. */
const BASELINE_MIN = 8;
/** Durations on the newer side: fewer say little of a mean. */
const PACES_MIN = 4;
/** Least variance of pace, eighths of an octave squared: pace is an integer, two off is nothing. */
const PACE_VARIANCE_MIN = 4;

/**
 * How many of the newest ticks differ from what was before them, in either direction: the newest
 * change that the likelihood-ratio test finds; null = none, everything counts.
 *
 * The test is made over every suffix of 1 to 24 ticks against all that is older, with successes as
 * Bernoulli (unknown probabilities) and pace as Gaussian (unknown means, common variance); then,
 * within what follows a change, again, so that a recovery is found behind a failure.
 */
export function newestChange(window: Window): number | null {
  let found: number | null = null;
  let older: Tally | undefined = window.before;
  let end = WINDOW_TICKS;
  for (;;) {
    const change = strongestChange(window.ticks, end, older);
    if (change === null) return found;
    found = change;
    older = undefined;
    end = change;
  }
}

/** The most likely place of a change within the ticks of ages [0, end) and what is older. */
function strongestChange(
  ticks: readonly Tally[],
  end: number,
  older: Tally | undefined,
): number | null {
  let best: number | null = null;
  let bestRatio = THRESHOLD;
  const last = older === undefined ? end - 1 : end;
  for (let age = 1; age <= last; age++) {
    const newer = sumTicks(ticks, 0, age);
    const baseline = sumTicks(ticks, age, end, older);
    const ratio = successRatio(newer, baseline) + paceRatio(newer, baseline);
    if (ratio > bestRatio) {
      best = age;
      bestRatio = ratio;
    }
  }
  return best;
}

/** n·KL of both sides against their common probability. */
function successRatio(newer: Tally, older: Tally): number {
  const count = older.success + older.failure;
  if (newer.success + newer.failure === 0 || count < BASELINE_MIN) return 0;
  const all = newer.success + newer.failure + count;
  const success = (newer.success + older.success) / all;
  const failure = (newer.failure + older.failure) / all;
  return likelihood(newer, success, failure) + likelihood(older, success, failure);
}

function likelihood(side: Tally, success: number, failure: number): number {
  const count = side.success + side.failure;
  let sum = 0;
  if (side.success > 0) sum += side.success * naturalLog(side.success / count / success);
  if (side.failure > 0) sum += side.failure * naturalLog(side.failure / count / failure);
  return sum;
}

/** Squared difference of the means over twice its variance. */
function paceRatio(newer: Tally, older: Tally): number {
  if (newer.paceCount < PACES_MIN || older.paceCount < BASELINE_MIN) return 0;
  const difference = newer.paceSum / newer.paceCount - older.paceSum / older.paceCount;
  const within = squaresWithin(newer) + squaresWithin(older);
  const variance = Math.max(within / (newer.paceCount + older.paceCount), PACE_VARIANCE_MIN);
  return (difference * difference) / (2 * variance * (1 / newer.paceCount + 1 / older.paceCount));
}

/** Sum of squared deviations from the mean. */
export function squaresWithin(tally: Tally): number {
  if (tally.paceCount === 0) return 0;
  return Math.max(0, tally.paceSquares - (tally.paceSum * tally.paceSum) / tally.paceCount);
}
