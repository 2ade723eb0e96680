import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MASS_TOTAL, massesOf } from '../../src/route/masses.js';

const sum = (masses: readonly number[]): number => masses.reduce((total, mass) => total + mass, 0);
const weights = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), {
  minLength: 1,
  maxLength: 60,
});
const FLOOR = 5242;

describe('masses', () => {
  it('I8 are integers that sum to 2^20, whatever weights, floors and caps', () => {
    const parts = fc.record({
      weight: fc.double({ min: 0, max: 1e9, noNaN: true }),
      floor: fc.constantFrom(0, FLOOR, 20_971),
      cap: fc.constantFrom(1, 1, 0.01, 0.02, 0.64),
    });
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 60 }), (list) => {
        const masses = massesOf(
          list.map(({ weight }) => weight),
          { floors: list.map(({ floor }) => floor), caps: list.map(({ cap }) => cap) },
        );
        expect(sum(masses)).toBe(MASS_TOTAL);
        expect(masses.every((mass) => Number.isInteger(mass) && mass >= 0)).toBe(true);
      }),
    );
  });

  it('give each at least its floor, and the floors never more than half', () => {
    fc.assert(
      fc.property(weights, (list) => {
        const masses = massesOf(list, { floors: list.map(() => FLOOR) });
        const least = Math.min(FLOOR, Math.floor(MASS_TOTAL / (2 * list.length)));
        expect(Math.min(...masses)).toBeGreaterThanOrEqual(least);
      }),
    );
  });

  it('keep a weight of 0 at 0 without floors', () => {
    fc.assert(
      fc.property(weights, (list) => {
        fc.pre(list.some((weight) => weight > 0));
        const masses = massesOf(list);
        list.forEach((weight, i) => {
          if (weight === 0) expect(masses[i]).toBe(0);
        });
      }),
    );
  });

  it('stay within one of the exact share', () => {
    fc.assert(
      fc.property(weights, (list) => {
        const total = sum(list);
        fc.pre(total > 0);
        massesOf(list).forEach((mass, i) => {
          expect(Math.abs(mass - (MASS_TOTAL * list[i]!) / total)).toBeLessThanOrEqual(1);
        });
      }),
    );
  });

  it('round up the earlier of equal remainders', () => {
    expect(massesOf([1, 1, 1])).toEqual([349526, 349525, 349525]);
  });

  it('hold one on probation at its cap and give the rest to the others', () => {
    expect(massesOf([98, 1, 1], { caps: [0.01, 1, 1] })).toEqual([10486, 519045, 519045]);
    expect(massesOf([1, 0], { caps: [0.01, 1] })).toEqual([10486, 1038090]);
  });

  it('know no cap where all are on probation', () => {
    expect(massesOf([1, 1], { caps: [0.01, 0.01] })).toEqual([524288, 524288]);
  });
});
