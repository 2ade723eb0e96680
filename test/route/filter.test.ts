import { describe, expect, it } from 'vitest';
import { AiRouterError } from '../../src/errors.js';
import type { ModelsValueOffering } from '../../src/hotkeys/values.js';
import type { RouteRequest } from '../../src/route/request.js';
import { NoEligibleOffering } from '../../src/route/sift.js';
import { catalogue, decideOn, offering, request, snapshotOf } from './fixtures.js';

/** Reasons by provider, where `spare` fits everything. */
function reasonOf(
  other: Parameters<typeof offering>[2],
  body: Partial<RouteRequest> = {},
  values: Record<string, unknown> = {},
): string | undefined {
  const it = offering('m', 'a', other);
  const spare = offering('m', 'spare', {
    region: 'eu',
    capabilities: ['tools', 'vision'],
    context_tokens: 1_000_000,
    input: 0,
    output: 0,
  });
  const decided = decideOn(snapshotOf({ models: catalogue([it, spare]), ...values }), body);
  return decided.excluded.find((entry) => entry.offering === it.offering)?.reason;
}

const disabled = { providers: [{ name: 'a', display_name: '', enabled: false }] };
const wide = (over: Partial<ModelsValueOffering>) => ({ capabilities: [], ...over });

describe('the filters', () => {
  it.each<[string, string | undefined, Parameters<typeof reasonOf>]>([
    ['fits', undefined, [{}]],
    ['disabled offering', 'offering_disabled', [{ enabled: false }]],
    ['disabled provider', 'provider_disabled', [{}, {}, { providers: disabled }]],
    ['weight 0', 'draining', [{ weight: 0 }]],
    ['tried', 'tried', [{}, { tried: ['m|a||'] }]],
    ['an unknown one tried', undefined, [{}, { tried: ['other|x||'] }]],
    ['only', 'provider_not_allowed', [{}, { provider: { only: ['spare'] } }]],
    ['only, named', undefined, [{}, { provider: { only: ['A'] } }]],
    ['ignore', 'provider_ignored', [{}, { provider: { ignore: ['a'] } }]],
    ['order prefers', undefined, [{}, { provider: { order: ['spare'] } }]],
    [
      'order binds',
      'provider_not_in_order',
      [{}, { provider: { order: ['spare'], allow_fallbacks: false } }],
    ],
    ['region', 'region', [{ region: 'us' }, { require: { regions: ['eu'] } }]],
    ['no region required', undefined, [{ region: 'us' }, { require: { regions: [] } }]],
    ['capability', 'capability', [{}, { require: { capabilities: ['vision'] } }]],
    ['its own none', 'capability', [wide({}), { require: { capabilities: ['tools'] } }]],
    ['of its model', undefined, [{}, { require: { capabilities: ['tools'] } }]],
    ['context', 'context_length', [{}, { require: { context_tokens: 128_001 } }]],
    ['context of its model', undefined, [{}, { require: { context_tokens: 128_000 } }]],
    ['dear', 'max_price', [{}, { provider: { max_price: { prompt: 0.99 } } }]],
    ['dear output', 'max_price', [{}, { provider: { max_price: { completion: 3.99 } } }]],
    ['at the limit', undefined, [{}, { provider: { max_price: { prompt: 1, completion: 4 } } }]],
    [
      'unknown price',
      'price_unknown',
      [{ prices: [] }, { provider: { max_price: { prompt: 9 } } }],
    ],
    [
      'unknown part',
      'price_unknown',
      [{ input: null }, { provider: { max_price: { prompt: 9 } } }],
    ],
    ['unknown, no limit', undefined, [{ prices: [] }]],
  ])('%s', (_name, reason, given) => {
    expect(reasonOf(...given)).toBe(reason);
  });

  it('ask for a context that is known', () => {
    const models = catalogue([offering('m', 'a')]);
    models.models[0]!.context_tokens = null;
    const error = failure(() =>
      decideOn(snapshotOf({ models }), { require: { context_tokens: 1 } }),
    );
    expect((error as NoEligibleOffering).excluded).toEqual([
      { offering: 'm|a||', reason: 'context_length_unknown' },
    ]);
  });

  it('take a whole model that is disabled', () => {
    const models = catalogue([offering('m', 'a')]);
    models.models[0]!.enabled = false;
    const error = failure(() => decideOn(snapshotOf({ models })));
    expect(error).toBeInstanceOf(NoEligibleOffering);
    expect((error as NoEligibleOffering).excluded[0]!.reason).toBe('model_disabled');
  });

  it('apply the tier of the estimated size, to the token', () => {
    const it = offering('m', 'a');
    it.prices[0]!.tiers.push({
      ...it.prices[0]!.tiers[0]!,
      above_input_tokens: 128_000,
      input: 2_000_000_000,
    });
    const cheap = (tokens: number) =>
      decideOn(snapshotOf({ models: catalogue([it]) }), {
        estimate: { input_tokens: tokens },
        provider: { max_price: { prompt: 1 } },
      });
    expect(cheap(128_000).excluded).toEqual([]);
    expect(() => cheap(128_001)).toThrow(NoEligibleOffering);
  });

  it('name the field of a model that is not known', () => {
    const snapshot = snapshotOf({ models: catalogue([offering('m', 'a')]) });
    const ask = (body: Partial<RouteRequest>) =>
      failure(() => decideOn(snapshot, body)) as AiRouterError;
    expect(ask({ model: 'x' })).toMatchObject({ code: 'model_not_found', field: 'model' });
    expect(ask({ models: ['x'] })).toMatchObject({ code: 'model_not_found', field: 'models' });
    expect(decideOn(snapshot, { models: ['x', 'm'] }).candidates[0]!.model).toBe('m');
  });

  it('refuse strategies that contradict the preferences', () => {
    const snapshot = snapshotOf({ models: catalogue([offering('m', 'a')]) });
    for (const body of [
      { strategy: 'unheard_of' },
      { strategy: 'specified_provider' },
      { strategy: 'auto', provider: { sort: 'price' as const } },
    ]) {
      expect(failure(() => decideOn(snapshot, request(body)))).toMatchObject({
        code: 'invalid_request',
      });
    }
  });
});

function failure(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    if (error instanceof AiRouterError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
