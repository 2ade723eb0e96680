import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MASS_TOTAL } from '../../src/route/masses.js';
import { slateOf } from '../../src/route/slate.js';
import { AS_OF, tick } from './fixtures.js';

import { A, B, OFFERINGS, order, World, world } from './policy-world.js';

describe('a split', () => {
  const half = {
    split: {
      variants: [
        { name: 'one', percent: 30, targets: ['a', 'b'], strategy: 'weighted_round_robin' },
        { name: 'two', percent: 70, targets: ['b', 'c'], strategy: 'cost_optimized' },
      ],
    },
  };

  it('I8 has masses and propensities over all its variants', () => {
    const { eligible, candidates } = world(half).ask();
    const masses = Object.fromEntries(eligible.map((it) => [it.offering, it.mass]));
    expect(Object.values(masses).reduce((sum, mass) => sum + mass, 0)).toBe(MASS_TOTAL);
    expect(masses['m|a||']! / MASS_TOTAL).toBeCloseTo(0.15, 5);
    expect(masses['m|b||']! / MASS_TOTAL).toBeCloseTo(0.85, 5);
    expect(masses['m|c||']).toBe(0);
    expect(candidates[0]!.propensity).toBe(masses[candidates[0]!.offering]! / MASS_TOTAL);
  });

  it('I8 shares over 1,000,000 decisions match the masses', () => {
    const it_ = world(half);
    const counts = new Map<string, number>();
    const variants = new Map<string, number>();
    const units = 1_000_000;
    const { variants: planned, eligible } = it_.plan();
    for (let index = 0; index < units; index++) {
      const unit = { kind: 'decision', text: String(index), salt: 's' } as const;
      const { variant, ranked } = slateOf(planned, () => 1, { split: unit, decision: unit });
      const { key } = ranked[0]!.candidate;
      counts.set(key, (counts.get(key) ?? 0) + 1);
      variants.set(variant.name, (variants.get(variant.name) ?? 0) + 1);
    }
    const shares = eligible.filter(({ mass }) => mass > 0).map((it) => it.mass / MASS_TOTAL);
    const chiSquare = eligible
      .filter(({ mass }) => mass > 0)
      .reduce((sum, { offering: key }, i) => {
        const expected = shares[i]! * units;
        return sum + ((counts.get(key) ?? 0) - expected) ** 2 / expected;
      }, 0);
    // One degree of freedom: beyond it lies a chance of 1e-7.
    expect(chiSquare).toBeLessThan(28.4);
    expect(Math.abs(variants.get('one')! - 0.3 * units)).toBeLessThan(6 * Math.sqrt(0.21 * units));
    expect(counts.has('m|d||')).toBe(false);
  }, 120_000);

  it('I8 has propensities of later ranks that are those of the ranks before', () => {
    const it_ = world({
      split: {
        variants: [
          { name: 'one', percent: 40, targets: ['a', 'b', 'c'], strategy: 'weighted_round_robin' },
          {
            name: 'two',
            percent: 60,
            targets: ['b', 'c', 'd'],
            weights: { b: 5 },
            strategy: 'weighted_round_robin',
          },
        ],
      },
    });
    const seen = new Map<string, { count: number; propensity: number }>();
    const units = 20_000;
    for (let index = 0; index < units; index++) {
      const { candidates } = it_.ask({ index, limit: 2 });
      const path = order({ candidates }).join();
      const propensity = candidates[0]!.propensity * candidates[1]!.propensity;
      const entry = seen.get(path) ?? { count: 0, propensity };
      expect(propensity).toBeCloseTo(entry.propensity, 12);
      seen.set(path, { count: entry.count + 1, propensity });
    }
    let sum = 0;
    for (const { count, propensity } of seen.values()) {
      sum += propensity;
      expect(Math.abs(count - units * propensity)).toBeLessThan(
        6 * Math.sqrt(units * propensity * (1 - propensity)),
      );
    }
    expect(sum).toBeCloseTo(1, 9);
  });

  it('gives nothing to a variant of 0, not as a fallback either', () => {
    const drained = world({
      split: {
        variants: [
          { name: 'old', percent: 0, targets: ['a'] },
          { name: 'new', percent: 5, targets: ['b', 'c'] },
        ],
      },
    });
    for (let index = 0; index < 500; index++) {
      const decided = drained.ask({ index });
      expect(decided.variant).toBe('new');
      expect(order(decided)).not.toContain('a');
    }
  });

  it('falls back to the other variants, after its own', () => {
    const it_ = world({ canary: { targets: ['d'], percent: 50 } });
    const canary = [...Array(50).keys()].map((index) => it_.ask({ index }));
    expect(new Set(canary.map(({ variant }) => variant))).toEqual(new Set(['stable', 'canary']));
    for (const decided of canary) {
      expect(decided.candidates).toHaveLength(4);
      if (decided.variant === 'canary') expect(order(decided)[0]).toBe('d');
      else expect(order(decided)[3]).toBe('d');
    }
  });

  it('gives the share of a variant whose breakers are open to the others', () => {
    const failing = { ticks: { [A.offering]: [tick(0, { error: 20 })] } };
    const variants = [
      { name: 'one', percent: 90, targets: ['a'] },
      { name: 'two', percent: 10, targets: ['b'] },
    ];
    const it_ = new World([{ name: 'p', split: { variants } }], OFFERINGS, failing);
    const decided = it_.ask();
    expect(decided.variant).toBe('two');
    expect(decided.degraded).not.toContain('all_open');
    expect(decided.excluded).toContainEqual({ offering: A.offering, reason: 'open_failures' });
    const all = { ticks: { ...failing.ticks, [B.offering]: [tick(0, { error: 20 })] } };
    const open = new World([{ name: 'p', split: { variants } }], OFFERINGS, all);
    expect(open.ask().degraded).toContain('all_open');
  });

  it('I8 gives whole masses that sum to 2^20 whatever the percentages', () => {
    const percents = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(percents, fc.nat(1000), (list, index) => {
        fc.pre(list.some((it) => it > 0));
        const variants = list.map((it, i) => ({ name: `v${i}`, percent: it / 1000 }));
        const { eligible, candidates } = world({ split: { variants } }).ask({ index });
        expect(eligible.reduce((sum, { mass }) => sum + mass, 0)).toBe(MASS_TOTAL);
        for (const { propensity } of candidates) {
          expect(propensity).toBeGreaterThan(0);
          expect(propensity).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('blocks of time', () => {
  const it_ = world({
    split: {
      unit: 'time_block',
      block_s: 20,
      variants: [
        { name: 'one', percent: 50, targets: ['a', 'b'], strategy: 'weighted_round_robin' },
        { name: 'two', percent: 50, targets: ['c', 'd'], strategy: 'weighted_round_robin' },
      ],
    },
  });

  it('I8 have one variant each, in which decisions are drawn by themselves', () => {
    const start = Math.ceil(AS_OF / 20) * 20;
    const variants = [...Array(40).keys()].map((block) => {
      const seen = new Set<string>();
      const firsts = new Set<string>();
      for (let i = 0; i < 20; i++) {
        const decided = it_.ask({ atSecond: start + block * 20 + i, index: i });
        expect(decided.unit).toEqual({
          kind: 'time_block',
          text: String(start / 20 + block),
          salt: 'p',
        });
        expect(decided.candidates[0]!.propensity).toBeCloseTo(0.25, 5);
        seen.add(decided.variant);
        firsts.add(decided.candidates[0]!.provider);
      }
      expect(seen.size).toBe(1);
      expect(firsts.size).toBe(2);
      return [...seen][0]!;
    });
    expect(variants.filter((name) => name === 'one').length).toBeGreaterThan(8);
    expect(variants.filter((name) => name === 'two').length).toBeGreaterThan(8);
  });
});
