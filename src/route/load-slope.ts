import type { PaceEstimate } from './estimate.js';
import { addTally, emptyTally, type Tally } from './tally.js';
import { TICK_MS, WINDOW_TICKS } from './ticks.js';
import type { Window } from './window.js';

/**
 * How much longer answers take at an offering that is sent more: the slope of pace on the rate of
 * outcomes, by weighted least squares over half minutes of ticks and the minutes before them.
 */
export interface LoadSlope {
  /** Eighths of an octave for each outcome a second more; 0 = none is to be seen. */
  slope: number;
  /** Outcomes a second while what the estimate rests on was measured. */
  rate: number;
}

const GROUP_TICKS = 6;
const MINUTE_SECONDS = 60;
/** The newest tick is not over yet. */
const FIRST_TICK = 1;
/** Minutes that the ticks cover, wholly or in part. */
const COVERED_MINUTES = 3;
/** Durations of a group: fewer say little of a mean. */
const PACES_MIN = 4;
const GROUPS_MIN = 3;

interface Group {
  rate: number;
  pace: number;
  count: number;
  /** Count by age, for the rate at which the estimate was measured. */
  weight: number;
  isUsed: boolean;
}

type WeightedBins = Pick<Window, 'bins' | 'weights'>;

/**
 * `usedBins`: newest bins that the estimate rests on. Of the slope one standard deviation is taken
 * off, and one below 0 is none: a provider that is slow while few are sent there, since they were
 * turned away, is not slow because they are few.
 */
export function loadSlopeOf(
  window: WeightedBins,
  usedBins: number,
  pace: Pick<PaceEstimate, 'variance' | 'newestPart'>,
): LoadSlope {
  const groups = groupsOf(window, usedBins);
  const used = groups.filter(({ isUsed }) => isUsed);
  const measured = used.length > 0 ? used : groups.slice(0, 1);
  const rate =
    pace.newestPart * meanOf(measured, 'rate', 'weight') +
    (1 - pace.newestPart) * meanOf(measured, 'rate', 'count');
  if (groups.length < GROUPS_MIN) return { slope: 0, rate };
  const rateMean = meanOf(groups, 'rate', 'count');
  const paceMean = meanOf(groups, 'pace', 'count');
  let rateSquares = 0;
  let paceSquares = 0;
  let products = 0;
  for (const { rate: x, pace: y, count } of groups) {
    rateSquares += count * (x - rateMean) * (x - rateMean);
    paceSquares += count * (y - paceMean) * (y - paceMean);
    products += count * (x - rateMean) * (y - paceMean);
  }
  if (rateSquares <= 0) return { slope: 0, rate };
  const slope = products / rateSquares;
  const unexplained = (paceSquares - slope * products) / (groups.length - 2);
  const deviation = Math.sqrt(Math.max(unexplained, pace.variance) / rateSquares);
  return { slope: Math.max(0, slope - deviation), rate };
}

/** Outcomes a second of all of them, over the ticks. */
export function rateOf(windows: readonly Window[]): number {
  let count = 0;
  for (const { bins } of windows) {
    for (let i = 0; i < WINDOW_TICKS; i++) count += bins[i]!.success + bins[i]!.failure;
  }
  return count / ((WINDOW_TICKS * TICK_MS) / 1000);
}

function groupsOf({ bins, weights }: WeightedBins, usedBins: number): Group[] {
  const groups: Group[] = [];
  const add = (tally: Tally, seconds: number, at: number): void => {
    const { success, failure, paceCount: count, paceSum } = tally;
    if (count < PACES_MIN) return;
    const rate = (success + failure) / seconds;
    const weight = weights[at]! * count;
    groups.push({ rate, pace: paceSum / count, count, weight, isUsed: at < usedBins });
  };
  for (let from = FIRST_TICK; from < WINDOW_TICKS; from += GROUP_TICKS) {
    const end = Math.min(from + GROUP_TICKS, WINDOW_TICKS);
    const sum = emptyTally();
    for (let at = from; at < end; at++) addTally(sum, bins[at]!);
    add(sum, ((end - from) * TICK_MS) / 1000, from);
  }
  for (let at = WINDOW_TICKS + COVERED_MINUTES; at < bins.length; at++) {
    add(bins[at]!, MINUTE_SECONDS, at);
  }
  return groups;
}

function meanOf(groups: readonly Group[], of: 'rate' | 'pace', by: 'count' | 'weight'): number {
  let sum = 0;
  let total = 0;
  for (const group of groups) {
    sum += group[by] * group[of];
    total += group[by];
  }
  return total > 0 ? sum / total : 0;
}
