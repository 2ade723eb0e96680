import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { draw } from '../../src/route/draw.js';

describe('draws', () => {
  it('are the first 53 bits of a SHA-256 over a documented text', () => {
    for (let i = 0; i < 100; i++) {
      const text = `airouter-draw/1\0rank-2\0salt\0${i}`;
      const bits = createHash('sha256').update(text, 'utf8').digest().readBigUInt64BE() >> 11n;
      expect(draw('rank-2', 'salt', String(i))).toBe(Number(bits) / 2 ** 53);
    }
  });

  it('are independent between purposes and salts', () => {
    const correlation = (a: number[], b: number[]): number =>
      a.reduce((sum, x, i) => sum + (x - 0.5) * (b[i]! - 0.5), 0) / a.length / (1 / 12);
    const units = Array.from({ length: 20_000 }, (_, i) => `unit-${i}`);
    const first = units.map((unit) => draw('first', '', unit));
    // Standard error 1/√20000 = 0.007; five of them.
    expect(
      Math.abs(
        correlation(
          first,
          units.map((it) => draw('rank-1', '', it)),
        ),
      ),
    ).toBeLessThan(0.035);
    expect(
      Math.abs(
        correlation(
          first,
          units.map((it) => draw('first', 's', it)),
        ),
      ),
    ).toBeLessThan(0.035);
  });
});
