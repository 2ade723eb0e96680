import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { namedDraws } from '../../src/route/named-draws.js';

const MASK = (1n << 32n) - 1n;

/** The documented rule, written anew in big integers. */
function expected(purpose: string, salt: string, unit: string, name: string): number {
  const word = (text: string) =>
    createHash('sha256').update(text, 'utf8').digest().readBigUInt64BE();
  const start = word(`airouter-draw/2\0${purpose}\0${salt}\0${unit}`) ^ word(name);
  let [h, l] = [start >> 32n, start & MASK];
  for (let round = 1n; round <= 4n; round++) {
    let bits = (l + 0x9e3779b9n * round) & MASK;
    bits = ((bits ^ (bits >> 16n)) * 0x85ebca6bn) & MASK;
    bits = ((bits ^ (bits >> 13n)) * 0xc2b2ae35n) & MASK;
    [h, l] = [l, h ^ bits ^ (bits >> 16n)];
  }
  return Number(((h << 32n) | l) >> 11n) / 2 ** 53;
}

describe('draws for names', () => {
  it('are as documented', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string({ unit: 'grapheme' }), (salt, unit, name) => {
        expect(namedDraws('pin', salt, unit)(name)).toBe(expected('pin', salt, unit, name));
      }),
    );
    expect(namedDraws('split', 'salt', 'key/7')('a')).toBe(0.4300790742864722);
  });

  it('are spread evenly, and independent between names, units, purposes and salts', () => {
    const units = Array.from({ length: 20_000 }, (_, i) => `key-${i}/3`);
    const of = (name: string, purpose: 'pin' | 'split' = 'pin', salt = '') =>
      units.map((unit) => namedDraws(purpose, salt, unit)(name));
    const first = of('m|openai||');
    const bins = new Array<number>(100).fill(0);
    for (const value of first) bins[Math.floor(value * 100)]! += 1;
    // χ² of 99 degrees of freedom: above 160 once in 10,000 times.
    expect(bins.reduce((sum, n) => sum + (n - 200) ** 2 / 200, 0)).toBeLessThan(160);
    const others = [
      of('m|azure||'),
      of('m|openai||x'),
      of('m|openai||', 'split'),
      of('m|openai||', 'pin', 's'),
    ];
    const shifted = [...first.slice(1), first[0]!];
    for (const other of [...others, shifted]) {
      const products = first.reduce((sum, x, i) => sum + (x - 0.5) * (other[i]! - 0.5), 0);
      // Standard error 1/√20000 = 0.007; five of them.
      expect(Math.abs(products / first.length / (1 / 12))).toBeLessThan(0.035);
    }
  });

  it('choose each of forty names as often as the others', () => {
    const names = Array.from({ length: 40 }, (_, i) => `m|provider-${i}||`);
    const wins = new Array<number>(names.length).fill(0);
    for (let i = 0; i < 40_000; i++) {
      const drawOf = namedDraws('pin', 'salt', `key-${i}/0`);
      const draws = names.map(drawOf);
      wins[draws.indexOf(Math.min(...draws))]! += 1;
    }
    // χ² of 39 degrees of freedom: above 80 once in 10,000 times.
    expect(wins.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)).toBeLessThan(80);
  });
});
