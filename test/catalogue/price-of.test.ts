import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costInTierNanoUsd, costNanoUsd, priceAt, tierFor } from '../../src/catalogue/price-of.js';
import { INPUT_CLASS_LIMITS } from '../../src/event/input-class.js';
import type { PriceTier } from '../../src/event/outcome.js';

const tier = (fields: Partial<PriceTier>): PriceTier => ({
  above_input_tokens: 0,
  input: null,
  cached_input: null,
  cache_write: null,
  output: null,
  request: null,
  ...fields,
});

const unknown = { cachedInput: null, cacheWrite: null };
const tokens = fc.integer({ min: 0, max: 10_000_000 });
const price = fc.integer({ min: 0, max: 1_000_000_000_000 });
const tierArb = fc
  .record({ input: price, cached_input: price, cache_write: price, output: price, request: price })
  .map((fields) => tier(fields));

describe('costNanoUsd', () => {
  it('is the exact sum of all parts, rounded once, half up', () => {
    fc.assert(
      fc.property(tierArb, tokens, tokens, tokens, tokens, (t, plain, cached, written, output) => {
        const usage = {
          input: plain + cached + written,
          cachedInput: cached,
          cacheWrite: written,
          output,
        };
        const millionths =
          BigInt(plain) * BigInt(t.input!) +
          BigInt(cached) * BigInt(t.cached_input!) +
          BigInt(written) * BigInt(t.cache_write!) +
          BigInt(output) * BigInt(t.output!) +
          BigInt(t.request!) * 1_000_000n;
        const cost = costNanoUsd([t], usage)!;
        const error = millionths - cost * 1_000_000n;
        expect(error >= -500_000n && error < 500_000n).toBe(true);
      }),
    );
  });

  it('never falls with more output', () => {
    fc.assert(
      fc.property(tierArb, tokens, tokens, tokens, (t, input, output, more) => {
        const less = costNanoUsd([t], { ...unknown, input, output })!;
        expect(costNanoUsd([t], { ...unknown, input, output: output + more })! >= less).toBe(true);
      }),
    );
  });

  it('never falls with more input where a higher tier costs no less', () => {
    const tiers = [
      tier({ input: 3, output: 5 }),
      tier({ above_input_tokens: 128_000, input: 6, output: 7 }),
    ];
    fc.assert(
      fc.property(tokens, tokens, tokens, (input, more, output) => {
        const less = costNanoUsd(tiers, { ...unknown, input, output })!;
        expect(costNanoUsd(tiers, { ...unknown, input: input + more, output })! >= less).toBe(true);
      }),
    );
  });

  it('rounds half a nano-USD up and less than half down', () => {
    const one = tier({ input: 1, output: 0 });
    expect(costNanoUsd([one], { ...unknown, input: 499_999, output: 0 })).toBe(0n);
    expect(costNanoUsd([one], { ...unknown, input: 500_000, output: 0 })).toBe(1n);
  });

  it('rounds the sum, not the parts', () => {
    const usage = { input: 400_000, cachedInput: null, cacheWrite: null, output: 400_000 };
    expect(costNanoUsd([tier({ input: 1, output: 1 })], usage)).toBe(1n);
  });

  it('is unknown where a price or a count is, and 0 where it is free', () => {
    const usage = { ...unknown, input: 10, output: 10 };
    expect(costNanoUsd([], usage)).toBeNull();
    expect(costNanoUsd([tier({ input: 1 })], usage)).toBeNull();
    expect(costNanoUsd([tier({ input: 1, output: 1 })], { ...usage, output: null })).toBeNull();
    expect(costNanoUsd([tier({ input: 1, output: 1 })], { ...usage, input: null })).toBeNull();
    expect(costNanoUsd([tier({ input: 0, output: 0 })], usage)).toBe(0n);
  });

  it('is known where the unknown half cannot matter', () => {
    const embedding = tier({ input: 20_000_000, output: 0 });
    expect(costNanoUsd([embedding], { ...unknown, input: 1_000_000, output: null })).toBe(
      20_000_000n,
    );
    const unpriced = tier({ input: 20_000_000 });
    expect(costNanoUsd([unpriced], { ...unknown, input: 1_000_000, output: 0 })).toBe(20_000_000n);
  });

  it('takes cached input as plain input where it has no price of its own', () => {
    const usage = { input: 1_000_000, cachedInput: 600_000, cacheWrite: 400_000, output: 0 };
    expect(costNanoUsd([tier({ input: 100, output: 0 })], usage)).toBe(100n);
    expect(costNanoUsd([tier({ input: 100, cached_input: 10, output: 0 })], usage)).toBe(46n);
  });

  it('has no plain input left where an emitter counts cached input beside the input', () => {
    const usage = { input: 10, cachedInput: 1_000_000, cacheWrite: null, output: 0 };
    expect(costNanoUsd([tier({ input: 100, cached_input: 10, output: 0 })], usage)).toBe(10n);
  });

  it('sums over many requests, each with its own request price', () => {
    const sonar = tier({ input: 1_000_000_000, output: 1_000_000_000, request: 12_000_000 });
    const usage = { ...unknown, input: 3_000_000n, output: 0n, requests: 1000n };
    expect(costInTierNanoUsd(sonar, usage)).toBe(3_000_000_000n + 12_000_000_000n);
  });
});

describe('tierFor', () => {
  const tiers = [0, ...INPUT_CLASS_LIMITS].map((above) => tier({ above_input_tokens: above }));

  it.each(INPUT_CLASS_LIMITS.map((limit, index) => [limit, index]))(
    'ends a tier with exactly %d tokens and starts the next with one more',
    (limit, index) => {
      expect(tierFor(tiers, limit)).toBe(tiers[index]);
      expect(tierFor(tiers, limit + 1)).toBe(tiers[index + 1]);
    },
  );

  it('has the base for requests without input', () => {
    expect(tierFor(tiers, 0)).toBe(tiers[0]);
  });

  it('is unknown for an unknown size, unless there is one price for all', () => {
    expect(tierFor(tiers, null)).toBeNull();
    expect(tierFor(tiers.slice(0, 1), null)).toBe(tiers[0]);
  });
});

describe('priceAt', () => {
  const prices = [1_000, 2_000, 3_000].map((valid_from) => ({ valid_from, tiers: [tier({})] }));

  it('is the newest price that has begun', () => {
    expect(priceAt(prices, 999)).toBeNull();
    expect(priceAt(prices, 1_000)).toBe(prices[0]);
    expect(priceAt(prices, 1_999)).toBe(prices[0]);
    expect(priceAt(prices, 2_000)).toBe(prices[1]);
    expect(priceAt(prices, 9_999)).toBe(prices[2]);
  });

  it('is unknown from the moment at which a price ends', () => {
    const ended = [...prices, { valid_from: 4_000, tiers: [] }];
    expect(priceAt(ended, 3_999)).toBe(prices[2]);
    expect(priceAt(ended, 4_000)).toBeNull();
  });
});
