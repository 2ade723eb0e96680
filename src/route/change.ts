import { naturalLog } from './arithmetic.js';
import { addTally, emptyTally, type Tally } from './tally.js';
import type { Window } from './window.js';

/**
 * How much more likely the data are with a change than without, as a natural logarithm, before a
 * change is believed. An offering is tested 17,280 times a day over up to 54 overlapping suffixes:
 * over steady traffic that makes about one false change a day (8: thirty, 12: none), which is gone
 * after a tick or two (recovery.ts).
 */
const THRESHOLD = 10;
/** Outcomes that must stand on the older side, lest a first failure be a change. */
const BASELINE_MIN = 8;
/** Durations on the newer side: fewer say little of a mean. */
const PACES_MIN = 4;
/** Least variance of pace, eighths of an octave squared: pace is an integer, two off is nothing. */
export const PACE_VARIANCE_MIN = 4;

/**
 * The same for a change for the better behind one for the worse. A recovery is believed soon, since
 * it costs little to be wrong: what followed it is then so few that it is only tried.
 */
const RECOVERY_THRESHOLD = 2;
/**
 * The same for answers so fast that the offering may have become faster, however few they are: it is
 * only tried more often until the test above has its four answers.
 */
const SPEED_UP_THRESHOLD = 3;

/** Bins that follow a change, counted from the newest one. */
export interface Changes {
  /** Only these are alike. */
  newest: number;
  /** Since the first change that was found, which is the greatest: before it all was as usual. */
  first: number;
}

/**
 * The changes that the likelihood-ratio test finds, in either direction; null = none, everything
 * counts.
 *
 * The test is made over every suffix of the window, ticks and minutes, against all that is older,
 * with successes as Bernoulli (unknown probabilities) and pace as Gaussian (unknown means, common
 * variance); then, within what follows a change, again, so that a recovery is found behind a
 * failure. That the minutes take part keeps a failure in mind for half an hour, however few
 * requests are still sent there: it is not forgotten and tried again in full every two minutes.
 */
export function changesOf({ bins }: Pick<Window, 'bins'>): Changes | null {
  let newest: number | null = null;
  let first = 0;
  let end = bins.length;
  let isIll = false;
  for (;;) {
    const change = strongestChange(bins, end, isIll);
    if (change === null) return newest === null ? null : { newest, first };
    if (newest === null) first = change.bins;
    newest = change.bins;
    end = change.bins;
    isIll = !change.isBetter;
  }
}

/**
 * Newest bins whose durations say the most that the offering is faster than it was; null = none says
 * enough. What is hardly tried gets an answer now and then: four of them, which a change needs, can
 * take minutes.
 */
export function speedUpOf({ bins }: Pick<Window, 'bins'>): number | null {
  const fasterRatio = (newer: Tally, older: Tally): number => {
    const ratio = paceRatio(newer, older, 1);
    return ratio > SPEED_UP_THRESHOLD && isFasterThan(newer, older) ? ratio : 0;
  };
  return bestSuffix(bins, bins.length, fasterRatio)?.bins ?? null;
}

const isFasterThan = (newer: Tally, older: Tally): boolean =>
  newer.paceSum / newer.paceCount < older.paceSum / older.paceCount;

interface Change {
  /** Newest bins that follow it. */
  bins: number;
  isBetter: boolean;
}

/** The most likely place of a change within the bins [0, end). */
function strongestChange(bins: readonly Tally[], end: number, isIll: boolean): Change | null {
  return bestSuffix(bins, end, (newer, older) => {
    const ratio = successRatio(newer, older) + paceRatio(newer, older);
    if (ratio > THRESHOLD) return ratio;
    return isIll && ratio > RECOVERY_THRESHOLD && isBetterThan(newer, older) ? ratio : 0;
  });
}

/** The suffix of the bins [0, end) of the greatest likelihood ratio; null where all are 0. */
function bestSuffix(
  bins: readonly Tally[],
  end: number,
  ratioOf: (newer: Tally, older: Tally) => number,
): Change | null {
  let best: Change | null = null;
  let bestRatio = 0;
  const newer = emptyTally();
  const older = emptyTally();
  for (let i = 0; i < end; i++) addTally(older, bins[i]!);
  for (let i = 0; i + 1 < end; i++) {
    const bin = bins[i]!;
    // Without an outcome between them, two suffixes are the same.
    if (bin.success + bin.failure === 0) continue;
    addTally(newer, bin);
    addTally(older, bin, -1);
    const ratio = ratioOf(newer, older);
    if (ratio <= bestRatio) continue;
    best = { bins: i + 1, isBetter: isBetterThan(newer, older) };
    bestRatio = ratio;
  }
  return best;
}

/** Whether more succeed for each unit of time than before. */
function isBetterThan(newer: Tally, older: Tally): boolean {
  const success = naturalLog(successOf(newer) / successOf(older));
  if (newer.paceCount === 0 || older.paceCount === 0) return success > 0;
  const pace = newer.paceSum / newer.paceCount - older.paceSum / older.paceCount;
  return success > (pace * Math.LN2) / 8;
}

/** With one more of each, so that it is never 0. */
export function successOf({ success, failure }: Tally): number {
  return (success + 1) / (success + failure + 2);
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
function paceRatio(newer: Tally, older: Tally, newerMin = PACES_MIN): number {
  if (newer.paceCount < newerMin || older.paceCount < BASELINE_MIN) return 0;
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
