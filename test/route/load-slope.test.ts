import { expect, it } from 'vitest';
import { loadSlopeOf } from '../../src/route/load-slope.js';
import { emptyTally } from '../../src/route/tally.js';
import { WINDOW_TICKS } from '../../src/route/ticks.js';
import type { Window } from '../../src/route/window.js';

/** Minutes before the ticks, each with a rate a second and a pace. */
function windowOf(
  minutes: readonly { rate: number; pace: number }[],
): Pick<Window, 'bins' | 'weights'> {
  const bins = Array.from({ length: WINDOW_TICKS + 31 }, emptyTally);
  minutes.forEach(({ rate, pace }, i) => {
    const count = rate * 60;
    Object.assign(bins[WINDOW_TICKS + 3 + i]!, {
      success: count,
      paceCount: count,
      paceSum: count * pace,
      paceSquares: count * pace * pace,
    });
  });
  return { bins, weights: bins.map(() => 1) };
}

/** All that counts are the newest ones, which here are all. */
const PACE = { variance: 4, newestPart: 1 };
const RATES = [1, 4, 2, 5, 3, 1, 4];

it('times that rise with load have the slope that they rise by, less its uncertainty', () => {
  const window = windowOf(RATES.map((rate) => ({ rate, pace: 4 + 3 * rate })));
  const { slope, rate } = loadSlopeOf(window, window.bins.length, PACE);
  expect(slope).toBeGreaterThan(2.5);
  expect(slope).toBeLessThanOrEqual(3);
  // Weighted by outcomes: of (1² + 4² + …) / (1 + 4 + …).
  expect(rate).toBeCloseTo(72 / 20);
});

it.each([
  ['times that stay', (_rate: number) => 5],
  ['one that is slow while few are sent there', (rate: number) => 20 - 3 * rate],
])('%s have none', (_name, paceOf) => {
  const window = windowOf(RATES.map((rate) => ({ rate, pace: paceOf(rate) })));
  expect(loadSlopeOf(window, window.bins.length, PACE).slope).toBe(0);
});

it('nothing, or two minutes, say nothing of a slope', () => {
  expect(loadSlopeOf(windowOf([]), 10, PACE)).toEqual({ slope: 0, rate: 0 });
  const two = windowOf([1, 9].map((rate) => ({ rate, pace: rate })));
  expect(loadSlopeOf(two, two.bins.length, PACE).slope).toBe(0);
});

it('the rate is that of the outcomes which the pace rests on, the newest and the rest', () => {
  const bins = windowOf([2, 4].map((rate) => ({ rate, pace: 5 }))).bins;
  const weights = bins.map((_, at) => (at === WINDOW_TICKS + 3 ? 1 : 0));
  const rateAt = (newestPart: number): number =>
    loadSlopeOf({ bins, weights }, bins.length, { variance: 4, newestPart }).rate;
  expect(rateAt(1)).toBe(2);
  // Of (2² + 4²) / (2 + 4).
  expect(rateAt(0)).toBeCloseTo(20 / 6);
  expect(rateAt(0.25)).toBeCloseTo(0.25 * 2 + (0.75 * 20) / 6);
});
