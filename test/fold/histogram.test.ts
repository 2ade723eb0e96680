import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bucketHigh,
  bucketLow,
  bucketOf,
  HISTOGRAM_BUCKETS,
  HISTOGRAM_VALUE_MAX,
  quantileOf,
} from '../../src/fold/histogram.js';

describe('the latency histogram', () => {
  it('has 158 buckets that cover 0 to 1 h without gap or overlap', () => {
    expect(bucketOf(HISTOGRAM_VALUE_MAX)).toBe(HISTOGRAM_BUCKETS - 1);
    expect(bucketLow(0)).toBe(0);
    for (let bucket = 0; bucket < HISTOGRAM_BUCKETS - 1; bucket++) {
      expect(bucketHigh(bucket) + 1).toBe(bucketLow(bucket + 1));
      expect(bucketOf(bucketLow(bucket))).toBe(bucket);
      expect(bucketOf(bucketHigh(bucket))).toBe(bucket);
    }
  });

  it('puts every value within 6.3 % of the middle of its bucket', () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: HISTOGRAM_VALUE_MAX }), (value) => {
        const bucket = bucketOf(value);
        const middle = (bucketLow(bucket) + bucketHigh(bucket)) / 2;
        expect(Math.abs(value - middle) / middle).toBeLessThanOrEqual(0.0625);
      }),
    );
  });

  it('shares the last bucket among values beyond 1 h', () => {
    expect(bucketOf(2 ** 31 - 1)).toBe(HISTOGRAM_BUCKETS - 1);
  });

  it('answers a quantile that is right to one bucket', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: HISTOGRAM_VALUE_MAX }), { minLength: 1 }),
        fc.integer({ min: 1, max: 1000 }),
        (values, perMille) => {
          const counts = new Array<number>(HISTOGRAM_BUCKETS).fill(0);
          for (const value of values) counts[bucketOf(value)]! += 1;
          const sorted = values.toSorted((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil((values.length * perMille) / 1000)) - 1]!;
          expect(quantileOf(counts, 0, perMille)).toBe(bucketHigh(bucketOf(exact)));
        },
      ),
    );
  });

  it('says null where nothing was observed', () => {
    expect(quantileOf([0, 0], 3, 500)).toBeNull();
    expect(quantileOf([], 0, 500)).toBeNull();
  });
});
