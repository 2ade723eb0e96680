import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/catalogue/document.js';
import { AiRouterError } from '../../src/errors.js';

function refusalOf(document: unknown): AiRouterError {
  try {
    parseDocument(typeof document === 'string' ? document : JSON.stringify(document));
  } catch (error) {
    if (error instanceof AiRouterError) return error;
    throw error;
  }
  throw new Error('the document was taken');
}

const offering = { model: 'my-model', provider: 'vllm', call_as: 'my-model' };
const price = { model: 'my-model', provider: 'vllm', valid_from: 0, tiers: [] };

describe('parseDocument', () => {
  it('fills in the defaults of the records', () => {
    const document = {
      providers: [{ name: 'vllm' }],
      models: [{ name: 'my-model', context_tokens: 32_000 }],
      aliases: [{ name: 'mine', model: 'my-model' }],
      offerings: [{ ...offering, deployment: 'rack-1', weight: 3 }],
      prices: [{ ...price, tiers: [{ above_input_tokens: 0, input: 100 }] }],
    };
    expect(parseDocument(JSON.stringify(document))).toEqual([
      { record: 'CatalogueProvider', value: { name: 'vllm', display_name: '', enabled: true } },
      {
        record: 'CatalogueModel',
        value: {
          name: 'my-model',
          display_name: '',
          capabilities: [],
          context_tokens: 32_000,
          output_tokens_max: null,
          enabled: true,
        },
      },
      { record: 'CatalogueAlias', value: { name: 'mine', model: 'my-model' } },
      {
        record: 'CatalogueOffering',
        value: {
          ...offering,
          deployment: 'rack-1',
          region: '',
          capabilities: null,
          context_tokens: null,
          output_tokens_max: null,
          requests_per_minute: null,
          tokens_per_minute: null,
          weight: 3,
          priority: 0,
          enabled: true,
        },
      },
      {
        record: 'CataloguePrice',
        value: {
          model: 'my-model',
          provider: 'vllm',
          deployment: '',
          valid_from: 0,
          source: '',
          tiers: [
            {
              above_input_tokens: 0,
              input: 100,
              cached_input: null,
              cache_write: null,
              output: null,
              request: null,
            },
          ],
        },
      },
    ]);
  });

  it('spells providers as outcomes do', () => {
    const [entry] = parseDocument(
      JSON.stringify({ offerings: [{ ...offering, provider: 'Azure' }] }),
    );
    expect(entry!.value).toMatchObject({ provider: 'azure.ai.openai' });
  });

  it.each([
    ['2026-09-01', Date.UTC(2026, 8, 1)],
    ['2026-09-01T12:30:00Z', Date.UTC(2026, 8, 1, 12, 30)],
    [1_700_000_000_000, 1_700_000_000_000],
  ])('takes %s as the first moment of a price', (valid_from, ms) => {
    const [entry] = parseDocument(JSON.stringify({ prices: [{ ...price, valid_from }] }));
    expect(entry!.value).toMatchObject({ valid_from: ms });
  });

  it.each<[unknown, string]>([
    ['{', ''],
    [[], 'the document'],
    [{ offers: [] }, 'offers'],
    [{ offerings: {} }, 'offerings'],
    [{ offerings: [null] }, 'offerings[0]'],
    [{ offerings: [{ model: 'm', provider: 'p' }] }, 'offerings[0].call_as'],
    [{ offerings: [{ ...offering, wieght: 2 }] }, 'offerings[0].wieght'],
    [{ offerings: [{ ...offering, weight: -1 }] }, 'offerings[0].weight'],
    [{ offerings: [{ ...offering, weight: '2' }] }, 'offerings[0].weight'],
    [{ offerings: [{ ...offering, enabled: 'no' }] }, 'offerings[0].enabled'],
    [{ offerings: [offering, { ...offering, weight: 2 }] }, 'offerings[1]'],
    [{ models: [{ name: '' }] }, 'models[0].name'],
    [{ models: [{ name: 7 }] }, 'models[0].name'],
    [{ prices: [{ ...price, valid_from: 'soon' }] }, 'prices[0].valid_from'],
    [{ prices: [{ ...price, tiers: null }] }, 'prices[0].tiers'],
    [{ prices: [{ ...price, tiers: [{}] }] }, 'prices[0].tiers[0].above_input_tokens'],
    [
      { prices: [{ ...price, tiers: [{ above_input_tokens: 0, usd: 1 }] }] },
      'prices[0].tiers[0].usd',
    ],
    [{ prices: [{ ...price, tiers: [{ above_input_tokens: 128_000 }] }] }, 'prices[0].tiers'],
  ])('refuses %j by naming %s', (document, field) => {
    const refusal = refusalOf(document);
    expect(refusal.code).toBe('invalid_usage');
    expect(refusal.field).toBe(field);
    expect(refusal.rule).not.toBe('');
  });

  it('refuses a tier at another size than the classes with a code of its own', () => {
    const tiers = [{ above_input_tokens: 0 }, { above_input_tokens: 32_000 }];
    const refusal = refusalOf({ prices: [{ ...price, tiers }] });
    expect(refusal.code).toBe('price_boundary');
    expect(refusal.field).toBe('prices[0].tiers[1].above_input_tokens');
  });
});
