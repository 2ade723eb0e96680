import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recoveryOf } from '../../src/route/recovery.js';
import { emptyTally, type Tally } from '../../src/route/tally.js';

const GOOD = bin({ success: 50, failure: 1 });
const before = [GOOD, GOOD, GOOD, GOOD];

function bin({ success = 0, failure = 0, pace = 0 }): Tally {
  const moments = { paceCount: success, paceSum: success * pace, paceSquares: success * pace ** 2 };
  return { ...emptyTally(), success, failure, ...moments };
}

/** `since`: the bins after the change, newest first. */
function probability(...since: Tally[]): number {
  return recoveryOf({ bins: [...since, ...before] }, since.length).probability;
}

const ILL = bin({ success: 2, failure: 8 });

describe('the probability of a recovery', () => {
  it('is none at the change itself', () => {
    expect(probability(ILL)).toBe(0);
  });

  it('grows with the time in which nobody tries', () => {
    const quiet = (ticks: number) => probability(...Array(ticks).fill(emptyTally()), ILL);
    expect(quiet(1)).toBeCloseTo(5 / 120, 6);
    expect(quiet(6)).toBeGreaterThan(quiet(1));
    expect(quiet(20)).toBeLessThan(0.5);
  });

  it('passes one half with three successes, and falls again with two failures', () => {
    const ill = [ILL, ILL];
    expect(probability(bin({ success: 1 }), ...ill)).toBeLessThan(0.5);
    expect(probability(bin({ success: 3 }), ...ill)).toBeGreaterThan(0.5);
    const well = [bin({ success: 10 }), ...ill];
    expect(probability(...well)).toBeGreaterThan(0.9);
    expect(probability(bin({ failure: 1 }), ...well)).toBeGreaterThan(0.2);
    expect(probability(bin({ failure: 2 }), ...well)).toBeLessThan(0.05);
  });

  it('tells by times alone where nothing fails', () => {
    const slow = bin({ success: 8, pace: 16 });
    expect(probability(bin({ success: 2, pace: 16 }), slow)).toBeLessThan(0.02);
    expect(probability(bin({ success: 4, pace: 0 }), slow)).toBeGreaterThan(0.9);
  });

  it('stays a probability, whatever is in the bins', () => {
    const tally = fc
      .record({
        success: fc.nat(100_000),
        failure: fc.nat(100_000),
        pace: fc.integer({ min: -160, max: 160 }),
      })
      .map(bin);
    fc.assert(
      fc.property(fc.array(tally, { minLength: 1, maxLength: 40 }), (since) => {
        const { shares } = recoveryOf({ bins: [...since, ...before] }, since.length);
        for (const share of shares) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
