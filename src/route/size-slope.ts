import type { Cell } from './tally.js';

/** How an offering's pace depends on what is asked of it. */
export interface SizeSlope {
  /** Eighths of an octave for each 64th of the reference that generating takes more. */
  slope: number;
  /** What the model's usual request has of them: the pace of a window is for that. */
  usual: number;
}

/**
 * What the prior, that pace does not depend on it, weighs in squared 64ths: a variance of pace of 9
 * over one of slopes of 0.15 squared, which is an octave and a half between short and long answers.
 */
const SQUARES_PRIOR = 400;

/**
 * The slope of pace on the part of generating, by least squares within each bin, so that neither a
 * change of speed nor the time of day is taken for it.
 */
export function slopeWithin(bins: readonly Cell[]): number {
  let squares = SQUARES_PRIOR;
  let products = 0;
  for (const { tally, sizes } of bins) {
    if (tally.paceCount === 0) continue;
    squares += Math.max(0, sizes.squares - (sizes.sum * sizes.sum) / tally.paceCount);
    products += sizes.products - (sizes.sum * tally.paceSum) / tally.paceCount;
  }
  return products / squares;
}

/** Takes out of the tally what sizes other than the usual one made of its moments of pace. */
export function toUsualSize({ tally, sizes }: Cell, { slope, usual }: SizeSlope): void {
  const { paceCount, paceSum } = tally;
  // Most bins of most windows.
  if (paceCount === 0) return;
  const sum = sizes.sum - usual * paceCount;
  const squares = sizes.squares - 2 * usual * sizes.sum + usual * usual * paceCount;
  const products = sizes.products - usual * paceSum;
  tally.paceSum -= slope * sum;
  tally.paceSquares -= slope * (2 * products - slope * squares);
}
