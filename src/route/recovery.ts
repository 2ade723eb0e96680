import { naturalLog, ratioOfPace } from './arithmetic.js';
import { PACE_VARIANCE_MIN, squaresWithin, successOf } from './change.js';
import { addTally, emptyTally, type Tally } from './tally.js';
import { MINUTE_MS, TICK_MS, WINDOW_TICKS } from './ticks.js';
import type { Window } from './window.js';

/** Whether an offering that became another one is again as it was before. */
export interface Recovery {
  /** Probability that it is now as before. */
  probability: number;
  /** By bin that follows the change, newest first: the probability that it was as before then. */
  shares: readonly number[];
}

/**
 * How long it stays another one is taken to be at least this, and as long again as it has already.
 * How long it then stays as before is taken to be this too: what fell ill once may do so again.
 */
export const ILLNESS_SECONDS_MIN = 120;
/** One bin alone never settles it, whatever was in it: e^6 is 400 to 1. */
const LOG_RATIO_MAX = 6;
/** Durations that the pace of before counts for, in what is thought of the pace since. */
const PACE_PSEUDO_SAMPLES = 1;

/**
 * The forward filter of a hidden Markov model with two states, as before and another one, over the
 * bins since the change, from the oldest on (Rabiner 1989, III A). How it was before is known, from
 * all that is older; how it is when it is another one is learned on the way, from each bin by the
 * probability that it was.
 *
 * So a recovery needs no more outcomes than tell the two apart: three successes of one that fails
 * three times of four. And one that was ill before is left again after two failures, since then both
 * states are known.
 */
export function recoveryOf({ bins }: Pick<Window, 'bins'>, changedBins: number): Recovery {
  const before = emptyTally();
  for (let i = changedBins; i < bins.length; i++) addTally(before, bins[i]!);
  const since = emptyTally();
  const shares = new Array<number>(changedBins).fill(0);
  let probability = 0;
  let elapsed = 0;
  for (let i = changedBins - 1; i >= 0; i--) {
    // The change is at the oldest bin: that one is what it changed to.
    if (i < changedBins - 1) {
      const seconds = (i < WINDOW_TICKS ? TICK_MS : MINUTE_MS) / 1000;
      elapsed += seconds;
      probability = afterTime(probability, seconds, elapsed);
      probability = afterOutcomes(probability, logRatio(bins[i]!, before, since));
    }
    shares[i] = probability;
    addTally(since, bins[i]!, 1 - probability);
  }
  return { probability, shares };
}

function afterTime(probability: number, seconds: number, elapsed: number): number {
  const back = Math.min(0.5, seconds / Math.max(ILLNESS_SECONDS_MIN, elapsed));
  const again = Math.min(0.5, seconds / ILLNESS_SECONDS_MIN);
  return probability * (1 - again) + (1 - probability) * back;
}

function afterOutcomes(probability: number, logOfRatio: number): number {
  const bounded = Math.max(-LOG_RATIO_MAX, Math.min(LOG_RATIO_MAX, logOfRatio));
  const odds = probability * ratioOfPace((8 / Math.LN2) * bounded);
  return odds / (odds + 1 - probability);
}

/** Natural logarithm of how much more likely the outcomes of a bin are as before. */
function logRatio(bin: Tally, before: Tally, since: Tally): number {
  const [usual, other] = [successOf(before), successOf(since)];
  let sum = 0;
  if (bin.success > 0) sum += bin.success * naturalLog(usual / other);
  if (bin.failure > 0) sum += bin.failure * naturalLog((1 - usual) / (1 - other));
  if (bin.paceCount === 0 || before.paceCount === 0) return sum;
  const usualPace = before.paceSum / before.paceCount;
  const otherPace =
    (PACE_PSEUDO_SAMPLES * usualPace + since.paceSum) / (PACE_PSEUDO_SAMPLES + since.paceCount);
  const variance = Math.max(PACE_VARIANCE_MIN, squaresWithin(before) / before.paceCount);
  // Σ (x − other)² − Σ (x − usual)², over twice the variance of both.
  const difference =
    bin.paceCount * (otherPace * otherPace - usualPace * usualPace) -
    2 * (otherPace - usualPace) * bin.paceSum;
  return sum + difference / (2 * variance);
}
