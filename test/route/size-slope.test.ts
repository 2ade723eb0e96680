import fc from 'fast-check';
import { expect, it } from 'vitest';
import { slopeWithin, toUsualSize } from '../../src/route/size-slope.js';
import { type Cell, emptyTally } from '../../src/route/tally.js';

/** Successes, each with its part of generating and its pace. */
function cellOf(successes: readonly { part: number; pace: number }[]): Cell {
  const sum = (of: (it: { part: number; pace: number }) => number): number =>
    successes.reduce((total, it) => total + of(it), 0);
  return {
    tally: {
      ...emptyTally(),
      success: successes.length,
      paceCount: successes.length,
      paceSum: sum(({ pace }) => pace),
      paceSquares: sum(({ pace }) => pace * pace),
    },
    sizes: {
      sum: sum(({ part }) => part),
      squares: sum(({ part }) => part * part),
      products: sum(({ part, pace }) => part * pace),
    },
  };
}

const on = (line: (part: number) => number, ...parts: number[]) =>
  cellOf(parts.map((part) => ({ part, pace: line(part) })));

it('finds the slope, but for the prior, whatever changes from bin to bin', () => {
  const parts = [10, 20, 30, 40, 50, 60, 15, 25, 35, 45];
  const bins = [0, 16, -8].map((level) => on((part) => level - 0.2 * part, ...parts));
  // 3 · Σ(part − mean)² = 6,930 beside 400.
  expect(slopeWithin(bins)).toBeCloseTo((-0.2 * 6_930) / 7_330, 6);
});

it('takes a change that comes with other sizes for a change, not for a slope', () => {
  const before = on(() => 0, 50, 50, 50, 50);
  const after = on(() => 16, 10, 10, 10, 10);
  expect(slopeWithin([after, before])).toBe(0);
});

it('is flat where nothing is known', () => {
  expect(slopeWithin([])).toBe(0);
  expect(slopeWithin([cellOf([])])).toBe(0);
});

it('puts each pace where the usual size would have it', () => {
  const successes = fc.array(
    fc.record({
      part: fc.integer({ min: 1, max: 64 }),
      pace: fc.integer({ min: -100, max: 100 }),
    }),
  );
  const slopes = fc.double({ min: -2, max: 2, noNaN: true });
  fc.assert(
    fc.property(successes, slopes, fc.integer({ min: 1, max: 64 }), (list, slope, usual) => {
      const { tally, sizes } = cellOf(list);
      const moved = list.map(({ part, pace }) => ({ part, pace: pace - slope * (part - usual) }));
      const expected = cellOf(moved).tally;
      toUsualSize({ tally, sizes }, { slope, usual });
      const found = tally;
      expect(found.paceCount).toBe(expected.paceCount);
      expect(found.paceSum).toBeCloseTo(expected.paceSum, 5);
      expect(found.paceSquares).toBeCloseTo(expected.paceSquares, 3);
    }),
  );
});
