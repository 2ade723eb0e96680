import type { ModelInfo } from '@pydantic/genai-prices';
import { describe, expect, it } from 'vitest';
import { pricesOf } from '../../src/catalogue/prices.js';
import { AiRouterError } from '../../src/errors.js';

const model = (prices: unknown): ModelInfo =>
  ({ id: 'm', match: { equals: 'm' }, prices }) as ModelInfo;

function refusalOf(prices: unknown): AiRouterError {
  try {
    pricesOf(model(prices), false);
  } catch (error) {
    if (error instanceof AiRouterError) return error;
  }
  throw new Error('the price was taken');
}

describe('pricesOf', () => {
  it('carries a plain price over as one that holds since ever', () => {
    const prices = { input_mtok: 2.5, cache_read_mtok: 1.25, output_mtok: 10, requests_kcount: 12 };
    expect(pricesOf(model(prices), false)).toEqual([
      {
        valid_from: 0,
        tiers: [
          {
            above_input_tokens: 0,
            input: 2_500_000_000,
            cached_input: 1_250_000_000,
            cache_write: null,
            output: 10_000_000_000,
            request: 12_000_000,
          },
        ],
      },
    ]);
  });

  it('carries dated prices over with their first moment in UTC', () => {
    const prices = [
      { prices: { input_mtok: 10, output_mtok: 40 } },
      {
        constraint: { type: 'start_date', start_date: '2025-06-10' },
        prices: { input_mtok: 2, output_mtok: 8 },
      },
    ];
    expect(pricesOf(model(prices), false).map(({ valid_from }) => valid_from)).toEqual([
      0,
      Date.UTC(2025, 5, 10),
    ]);
  });

  it.each([
    [128_000, 128_000],
    [199_999, 200_000],
    [200_000, 200_000],
    [271_999, 272_000],
    [272_000, 272_000],
    [512_000, 512_000],
  ])('takes a tier that starts above %d as one above %d', (start, above) => {
    const prices = { input_mtok: { base: 1, tiers: [{ start, price: 2 }] }, output_mtok: 3 };
    const [price] = pricesOf(model(prices), false);
    expect(price!.tiers.map((tier) => [tier.above_input_tokens, tier.input, tier.output])).toEqual([
      [0, 1_000_000_000, 3_000_000_000],
      [above, 2_000_000_000, 3_000_000_000],
    ]);
  });

  it('merges columns whose tiers start at different sizes', () => {
    const prices = {
      input_mtok: { base: 1, tiers: [{ start: 128_000, price: 2 }] },
      output_mtok: {
        base: 3,
        tiers: [
          { start: 512_000, price: 6 },
          { start: 200_000, price: 4 },
        ],
      },
    };
    const [price] = pricesOf(model(prices), false);
    expect(
      price!.tiers.map((t) => [t.above_input_tokens, t.input! / 1e9, t.output! / 1e9]),
    ).toEqual([
      [0, 1, 3],
      [128_000, 2, 3],
      [200_000, 2, 4],
      [512_000, 2, 6],
    ]);
  });

  it.each([32_000, 127_999 - 1, 128_001, 0, 256_000])(
    'refuses a tier at %d, which is no boundary of the classes',
    (start) => {
      const refusal = refusalOf({ input_mtok: { base: 1, tiers: [{ start, price: 2 }] } });
      expect(refusal.code).toBe('price_boundary');
      expect(refusal.field).toBe('input_mtok');
    },
  );

  it('refuses a price that depends on the time of day, and names it', () => {
    const constraint = { type: 'time_of_date', start_time: '00:30:00Z', end_time: '16:30:00Z' };
    const refusal = refusalOf([
      { prices: { input_mtok: 1 } },
      { constraint, prices: { input_mtok: 2 } },
    ]);
    expect(refusal.code).toBe('rule_broken');
    expect(refusal.message).toContain('time_of_date');
  });

  it.each([
    [
      'a later price without a start',
      [{ prices: { input_mtok: 1 } }, { prices: { input_mtok: 2 } }],
    ],
    [
      'dates out of order',
      [
        { constraint: { type: 'start_date', start_date: '2025-06-10' }, prices: { input_mtok: 1 } },
        { constraint: { type: 'start_date', start_date: '2025-06-09' }, prices: { input_mtok: 2 } },
      ],
    ],
    ['an empty price, which may mean free or unknown', {}],
    ['a part of the output at a price of its own', { input_mtok: 1, output_reasoning_mtok: 3 }],
    ['more digits than integers hold', { input_mtok: 1 / 12 }],
  ])('refuses %s', (_, prices) => {
    expect(refusalOf(prices).code).toBe('rule_broken');
  });

  it('leaves out prices of what an outcome does not count', () => {
    const prices = {
      input_mtok: 1,
      output_mtok: 2,
      cache_write_1h_mtok: 3,
      web_searches_kcount: 10,
      storage_searches_kcount: 2.5,
      input_audio_mtok: 4,
      cache_audio_read_mtok: 5,
    };
    expect(pricesOf(model(prices), false)).toEqual(
      pricesOf(model({ input_mtok: 1, output_mtok: 2 }), false),
    );
  });

  it('knows that an embedding has no output; of another model without its price it is unknown', () => {
    expect(pricesOf(model({ input_mtok: 1 }), true)[0]!.tiers[0]!.output).toBe(0);
    expect(pricesOf(model({ input_mtok: 1 }), false)[0]!.tiers[0]!.output).toBeNull();
  });
});
