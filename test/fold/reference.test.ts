import fc from 'fast-check';
import { expect, it } from 'vitest';
import { GENERATION_PARTS, generationOf, paceOf, referenceMs } from '../../src/fold/reference.js';

const tokens = fc.integer({ min: 0, max: 2 ** 53 - 2 });

it('an answer of any size that takes its reference has pace 0, twice as long has 8', () => {
  fc.assert(
    fc.property(tokens, fc.integer({ min: 0, max: 100_000 }), (input, output) => {
      const reference = referenceMs(input, output);
      expect(paceOf(reference, input, output)).toBe(0);
      if (2 * reference <= 3_600_000) expect(paceOf(2 * reference, input, output)).toBe(8);
    }),
  );
});

it('generating takes 1 to 64 parts of the reference, more of longer answers', () => {
  fc.assert(
    fc.property(tokens, tokens, fc.integer({ min: 0, max: 10_000 }), (input, output, more) => {
      const parts = generationOf(input, output);
      expect(Number.isInteger(parts)).toBe(true);
      expect(parts).toBeGreaterThanOrEqual(1);
      expect(parts).toBeLessThanOrEqual(GENERATION_PARTS);
      expect(generationOf(input, output + more)).toBeGreaterThanOrEqual(parts);
    }),
  );
  // 1,950 of 2,370 ms.
  expect(generationOf(1_000, 130)).toBe(1 + Math.floor((63 * 1_950) / 2_370));
  expect(generationOf(1_000, 0)).toBe(1);
});
