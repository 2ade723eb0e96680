import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PriceTier } from '../../src/event/outcome.js';
import { costNanoUsd, tiersAt } from '../../src/route/price.js';
import { AS_OF, decideOn, measured, offering, tick } from './fixtures.js';

const tier = (other: Partial<PriceTier> = {}): PriceTier => ({
  above_input_tokens: 0,
  input: 1_000_000_000,
  cached_input: null,
  cache_write: null,
  output: 4_000_000_000,
  request: null,
  ...other,
});
const size = (inputTokens: number, cachedInputTokens = 0, outputTokens = 0) => ({
  inputTokens,
  cachedInputTokens,
  outputTokens,
});

describe('the cost of a request', () => {
  it('takes cached input at its own price, at that of input where it has none', () => {
    const cached = [tier({ cached_input: 100_000_000 })];
    expect(costNanoUsd(cached, size(1000, 400))).toBe(640_000);
    expect(costNanoUsd([tier()], size(1000, 400))).toBe(1_000_000);
  });

  it('takes the whole input at the price of the tier that it falls into', () => {
    const tiers = [tier(), tier({ above_input_tokens: 128_000, input: 2_000_000_000 })];
    expect(costNanoUsd(tiers, size(128_000))).toBe(128_000_000);
    expect(costNanoUsd(tiers, size(128_001))).toBe(256_002_000);
  });

  it('is 0 where all is free, and unknown where a part that is used has no price', () => {
    expect(costNanoUsd([tier({ input: 0, output: 0 })], size(1000, 0, 500))).toBe(0);
    expect(costNanoUsd([tier({ output: null })], size(1000, 0, 1))).toBeNull();
    expect(costNanoUsd([tier({ output: null })], size(1000, 0, 0))).toBe(1_000_000);
    expect(costNanoUsd(null, size(0))).toBeNull();
  });

  it('is a whole number of nano-USD that never falls with the tokens', () => {
    const tokens = fc.integer({ min: 0, max: 200_000 });
    fc.assert(
      fc.property(tokens, tokens, fc.integer({ min: 0, max: 9e9 }), (few, more, input) => {
        const tiers = [tier({ input })];
        const cost = costNanoUsd(tiers, size(few, 0, few))!;
        expect(Number.isInteger(cost)).toBe(true);
        expect(costNanoUsd(tiers, size(few + more, 0, few + more))).toBeGreaterThanOrEqual(cost);
      }),
    );
  });

  it('is by the price in force at the moment', () => {
    const prices = [0, AS_OF * 1000].map((valid_from) => ({ valid_from, tiers: [tier()] }));
    const dated = offering('m', 'a', { prices });
    expect(tiersAt(dated, AS_OF - 1)).toBe(prices[0]!.tiers);
    expect(tiersAt(dated, AS_OF)).toBe(prices[1]!.tiers);
  });
});

it('cost_optimized puts what is free first, and what has no price last, flagged', () => {
  const offerings = [
    offering('m', 'a', { input: null, output: null }),
    offering('m', 'b'),
    offering('m', 'c', { input: 0, output: 0 }),
  ];
  const { candidates } = decideOn(measured(offerings), { strategy: 'cost_optimized' });
  expect(candidates.map(({ provider }) => provider)).toEqual(['c', 'b', 'a']);
  expect(candidates.map(({ reasons }) => reasons.includes('price_unknown'))).toEqual([
    false,
    false,
    true,
  ]);
  expect(candidates[0]!.expected.cost_nano_usd).toBe(0);
});

it('refused credentials take their own deployment out, and no other of the provider', () => {
  const [one, two] = ['1', '2'].map((deployment) => offering('m', 'a', { deployment }));
  const snapshot = measured([one!, two!], {
    ticks: { [one!.offering]: [tick(0, { unauthorized: 3 })] },
  });
  const decided = decideOn(snapshot);
  expect(decided.excluded).toEqual([{ offering: one!.offering, reason: 'open_unauthorized' }]);
  expect(decided.candidates.map(({ deployment }) => deployment)).toEqual(['2']);
});

it.each(['cancelled', 'content_filtered', 'invalid_request'] as const)(
  '%s does not count against a provider, an invalid response does',
  (status) => {
    const a = offering('m', 'a');
    const stateAfter = (counts: Parameters<typeof tick>[1]) =>
      decideOn(measured([a, offering('m', 'b')], { ticks: { [a.offering]: [tick(0, counts)] } }))
        .excluded;
    expect(stateAfter({ [status]: 50 })).toEqual([]);
    expect(stateAfter({ invalid_response: 50 })).toEqual([
      { offering: a.offering, reason: 'open_failures' },
    ]);
  },
);
