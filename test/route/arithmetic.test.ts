import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { naturalLog, ratioOfPace } from '../../src/route/arithmetic.js';
import { NORMAL_QUANTILES } from '../../src/route/normal-quantiles.js';

describe('arithmetic without exp and log', () => {
  it('raises two to a pace in eighths', () => {
    fc.assert(
      fc.property(fc.double({ min: -160, max: 160, noNaN: true }), (pace) => {
        const exact = 2 ** (pace / 8);
        expect(Math.abs(ratioOfPace(pace) / exact - 1)).toBeLessThan(1e-8);
      }),
    );
  });

  it('doubles exactly with each octave', () => {
    expect([-16, -8, 0, 8, 16].map(ratioOfPace)).toEqual([0.25, 0.5, 1, 2, 4]);
    expect(ratioOfPace(1e9)).toBe(2 ** 20);
  });

  it('takes the natural logarithm', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (value) => {
        expect(Math.abs(naturalLog(value) - Math.log(value))).toBeLessThan(1e-9);
      }),
    );
    expect(naturalLog(1)).toBe(0);
  });

  it('has 256 rising quantiles of a standard normal distribution', () => {
    expect(NORMAL_QUANTILES).toHaveLength(256);
    expect([...NORMAL_QUANTILES]).toEqual([...NORMAL_QUANTILES].sort((a, b) => a - b));
    const mean = NORMAL_QUANTILES.reduce((sum, z) => sum + z, 0) / 256;
    const variance = NORMAL_QUANTILES.reduce((sum, z) => sum + z * z, 0) / 256;
    expect(mean).toBeCloseTo(0, 12);
    expect(variance).toBeGreaterThan(0.98);
    expect(variance).toBeLessThan(1);
  });
});
