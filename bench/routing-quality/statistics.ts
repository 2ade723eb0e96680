import { type Dice, diceOf } from './chance.js';

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Nearest rank; null of nothing. */
export function quantileOf(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

export interface Interval {
  low: number;
  high: number;
}

const RESAMPLES = 2_000;

/**
 * 95 % bootstrap interval of a statistic of groups: within each group its members are drawn with
 * replacement, so every family of worlds keeps its weight. `of` gets, by group, the indexes drawn.
 */
export function bootstrap(
  sizes: readonly number[],
  of: (drawn: readonly (readonly number[])[]) => number,
  seed = 1,
): Interval {
  const dice = diceOf(seed, 0);
  const values = Array.from({ length: RESAMPLES }, () =>
    of(sizes.map((size) => drawnFrom(dice, size))),
  ).sort((a, b) => a - b);
  return {
    low: values[Math.floor(0.025 * RESAMPLES)]!,
    high: values[Math.floor(0.975 * RESAMPLES)]!,
  };
}

function drawnFrom(dice: Dice, size: number): number[] {
  return Array.from({ length: size }, () => dice.whole(0, size - 1));
}
