import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scaledInteger } from '../../src/catalogue/decimal.js';
import { AiRouterError } from '../../src/errors.js';

describe('scaledInteger', () => {
  it('is exact for every decimal of up to nine digits, as it is written', () => {
    // 15 digits in all are what every double keeps.
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 999_999 }),
        fc.integer({ min: 0, max: 999_999_999 }),
        (whole, fraction) => {
          const text = `${whole}.${String(fraction).padStart(9, '0')}`;
          expect(scaledInteger(Number(text), 9, 'price')).toBe(whole * 1e9 + fraction);
        },
      ),
    );
  });

  it.each([
    [0.1, 100_000_000],
    [0.29, 290_000_000],
    [1.1, 1_100_000_000],
    [8.95, 8_950_000_000],
    [0.003625, 3_625_000],
    [1e-7, 100],
    [1.5e-8, 15],
    [0, 0],
    [600, 600_000_000_000],
  ])('turns %d into %d nano', (value, nano) => {
    expect(scaledInteger(value, 9, 'price')).toBe(nano);
  });

  it('knows units of their own: 12 USD per thousand requests are 12,000,000 nano-USD each', () => {
    expect(scaledInteger(12, 6, 'requests_kcount')).toBe(12_000_000);
  });

  it.each([0.1 + 0.2, 1 / 12, 1e-10, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e21, 9_007_200])(
    'refuses %d, which is not an integer of nano in range, and names the field',
    (value) => {
      const refusal = (): number => scaledInteger(value, 9, 'input_mtok');
      expect(refusal).toThrow(AiRouterError);
      expect(refusal).toThrow(/input_mtok must be a decimal/);
    },
  );
});
