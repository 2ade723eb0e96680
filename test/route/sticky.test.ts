import { describe, expect, it } from 'vitest';
import { MASS_TOTAL } from '../../src/route/masses.js';
import { hashedStickyKey } from '../../src/route/sticky-key.js';
import { AS_OF, minute, tick } from './fixtures.js';

import { A, OFFERINGS, World, world } from './policy-world.js';

describe('sticky keys', () => {
  const keys = [...Array(2000).keys()].map((i) => `user-${i}`);
  const pinned = (weights: Record<string, number>, rows = {}, offerings = OFFERINGS) =>
    new World(
      [{ name: 'p', strategy: 'weighted_round_robin', weights, split: { unit: 'sticky' } }],
      offerings,
      rows,
    );
  const placesIn = (it: World) =>
    new Map(keys.map((key, index) => [key, it.first({ sticky_key: key, index })]));
  const ALL = { a: 1, b: 1, c: 1, d: 1 };

  it('I8 stay where they are, whatever the decision, the second and the scores', () => {
    const calm = placesIn(pinned(ALL));
    const slow = {
      minutes: { [A.offering]: [minute(3, { success: 40, error: 10 }, { pace: 30 })] },
    };
    const other = pinned(ALL, slow);
    for (const [index, key] of keys.slice(0, 500).entries()) {
      expect(other.first({ sticky_key: key, index: index + 9000, atSecond: AS_OF + 1 })).toBe(
        calm.get(key),
      );
    }
  });

  it('I8 are spread by weight', () => {
    const places = placesIn(pinned({ a: 1, b: 2, c: 5, d: 0 }));
    const counts = new Map<string, number>();
    for (const it of places.values()) counts.set(it, (counts.get(it) ?? 0) + 1);
    for (const [provider, share] of [
      ['a', 1 / 8],
      ['b', 2 / 8],
      ['c', 5 / 8],
    ] as const) {
      const count = counts.get(provider) ?? 0;
      expect(Math.abs(count - keys.length * share)).toBeLessThan(
        6 * Math.sqrt(keys.length * share * (1 - share)),
      );
    }
    expect(counts.has('d')).toBe(false);
  });

  it('I8 move to a target that is added, and to no other: one in n', () => {
    const before = placesIn(pinned({ a: 1, b: 1, c: 1, d: 0 }));
    const after = placesIn(pinned(ALL));
    const moved = keys.filter((key) => before.get(key) !== after.get(key));
    expect(moved.every((key) => after.get(key) === 'd')).toBe(true);
    expect(Math.abs(moved.length - keys.length / 4)).toBeLessThan(
      6 * Math.sqrt(keys.length * 0.1875),
    );
  });

  it('are pinned elsewhere only while the breaker of their target is open', () => {
    const calm = placesIn(pinned(ALL));
    const open = placesIn(pinned(ALL, { ticks: { [A.offering]: [tick(0, { error: 20 })] } }));
    const onProbation = pinned(ALL, { ticks: { [A.offering]: [tick(5, { error: 20 })] } });
    const probing = placesIn(onProbation);
    for (const key of keys) {
      if (calm.get(key) === 'a') expect(open.get(key)).not.toBe('a');
      else expect(open.get(key)).toBe(calm.get(key));
      if (probing.get(key) !== calm.get(key)) expect(calm.get(key)).toBe('a');
    }
    const share = onProbation.plan().eligible[0]!.mass / MASS_TOTAL;
    expect(share).toBeLessThan(0.1);
    const count = [...probing.values()].filter((it) => it === 'a').length;
    expect(Math.abs(count - keys.length * share)).toBeLessThan(6 * Math.sqrt(keys.length * share));
    const other = { ticks: { [A.offering]: [tick(0, { success: 20 })] } };
    expect(placesIn(pinned(ALL, other))).toEqual(calm);
  });

  it('stay until their epoch ends, each at a moment of its own', () => {
    const it_ = new World([
      {
        name: 'p',
        strategy: 'weighted_round_robin',
        split: { unit: 'sticky', ttl_s: 100 },
      },
    ]);
    const sample = keys.slice(0, 60);
    const unitAt = (key: string, second: number) =>
      it_.ask({ sticky_key: key, atSecond: AS_OF + second, limit: 1 }).unit.text;
    const changes = sample.map((key) => {
      const texts = [...Array(100).keys()].map((second) => unitAt(key, second));
      expect(new Set(texts).size).toBeLessThanOrEqual(2);
      return texts.findIndex((text) => text !== texts[0]);
    });
    expect(new Set(changes).size).toBeGreaterThan(20);
  });

  it('pin the variant, where a variant has a strategy of its own', () => {
    const it_ = world({
      split: {
        unit: 'sticky',
        variants: [
          { name: 'one', percent: 50, strategy: 'auto' },
          { name: 'two', percent: 50, strategy: 'cost_optimized' },
        ],
      },
    });
    const variantsOf = (key: string) =>
      new Set([...Array(20).keys()].map((index) => it_.ask({ sticky_key: key, index }).variant));
    const all = keys.slice(0, 50).map(variantsOf);
    expect(all.every((variants) => variants.size === 1)).toBe(true);
    expect(new Set(all.flatMap((variants) => [...variants])).size).toBe(2);
    const firsts = new Set(
      [...Array(200).keys()].map((index) => it_.first({ sticky_key: oneOf(all, 'one'), index })),
    );
    expect(firsts.size).toBeGreaterThan(1);
  });

  const oneOf = (variants: Set<string>[], name: string) =>
    keys[variants.findIndex((it) => it.has(name))]!;

  it('are the same in clear and hashed, and without one the decision counts', () => {
    const it_ = pinned(ALL);
    const plain = it_.ask({ sticky_key: 'u' });
    expect(it_.ask({ sticky_key: hashedStickyKey('u') })).toEqual(plain);
    expect(plain.unit.kind).toBe('sticky');
    expect(it_.ask({}).unit.kind).toBe('decision');
    const decision = [...Array(50).keys()].map((index) => it_.first({ index }));
    expect(new Set(decision).size).toBe(4);
  });

  it('are shared by policies of one salt', () => {
    const document = (name: string) => ({
      name,
      salt: 's',
      strategy: 'weighted_round_robin',
      split: { unit: 'sticky' as const },
    });
    const it_ = new World([document('p'), document('q')]);
    for (const key of keys.slice(0, 50)) {
      expect(it_.first({ sticky_key: key, policy: 'q' })).toBe(it_.first({ sticky_key: key }));
    }
  });
});
