import { calcPrice, findProvider } from '@pydantic/genai-prices';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble, type JoinTable } from '../../src/catalogue/assemble.js';
import { builtInCatalogue, packagedSources } from '../../src/catalogue/built-in.js';
import { brokenRuleOfEntry, encodeEntry, identityOf } from '../../src/catalogue/entry.js';
import table from '../../src/catalogue/join.json' with { type: 'json' };
import { costNanoUsd, priceAt } from '../../src/catalogue/price-of.js';
import { providerName } from '../../src/event/provider.js';

const join: JoinTable = table;
const { entries, refused } = builtInCatalogue();
const valuesOf = <R extends (typeof entries)[number]['record']>(
  record: R,
): Extract<(typeof entries)[number], { record: R }>['value'][] =>
  entries.flatMap((entry) => (entry.record === record ? [entry.value] : [])) as never;

describe('the joining table', () => {
  it.each(join.offerings.map((row) => [`${row.model} at ${row.provider}`, row] as const))(
    'resolves %s in both packages',
    (_, { prices, limits }) => {
      expect(packagedSources.prices(prices.provider, prices.id)).toBeDefined();
      if (limits !== null) expect(packagedSources.limits(limits.provider, limits.id)).toBeDefined();
    },
  );

  it('takes prices from the provider itself, or from whom the source says they hold as well', () => {
    const own: Record<string, string> = {
      'aws.bedrock': 'aws',
      'azure.ai.openai': 'azure',
      'gcp.gemini': 'google',
      'gcp.vertex_ai': 'google',
      mistral_ai: 'mistral',
      moonshot_ai: 'moonshotai',
      voyage_ai: 'voyageai',
      x_ai: 'x-ai',
      z_ai: 'zai',
    };
    for (const { provider, prices } of join.offerings) {
      const source = findProvider({ providerId: own[provider] ?? provider })!;
      expect([source.id, ...(source.fallback_model_providers ?? [])]).toContain(prices.provider);
    }
  });

  it('names providers as outcomes do', () => {
    for (const { name } of join.providers) expect(providerName(name)).toBe(name);
  });

  it('stands in a stable order, without repetition', () => {
    const inOrder = (names: string[]): void => expect(names).toEqual([...new Set(names)].sort());
    inOrder(join.providers.map(({ name }) => name));
    inOrder(join.models.map(({ name }) => name));
    const keys = join.offerings.map((row) =>
      [row.model, row.provider, row.region ?? ''].join('\0'),
    );
    inOrder(keys);
  });

  it('uses every provider and model that it names, and no name for two models', () => {
    const used = new Set(join.offerings.flatMap(({ model, provider }) => [model, provider]));
    for (const { name } of [...join.providers, ...join.models]) expect(used).toContain(name);
    const names = join.models.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
  });

  it('has no words of its own for what the source of limits knows', () => {
    for (const { name, capabilities } of join.models) {
      const isKnown = join.offerings.some(({ model, limits }) => model === name && limits !== null);
      expect([name, capabilities === null]).toEqual([name, isKnown]);
    }
  });
});

describe('builtInCatalogue', () => {
  it('has at least 60 offerings, and 10 models at 3 providers or more', () => {
    const offerings = valuesOf('CatalogueOffering');
    expect(offerings.length).toBeGreaterThanOrEqual(60);
    const providersOf = (model: string): Set<string> =>
      new Set(offerings.filter((it) => it.model === model).map((it) => it.provider));
    const wide = valuesOf('CatalogueModel').filter(({ name }) => providersOf(name).size >= 3);
    expect(wide.length).toBeGreaterThanOrEqual(10);
  });

  it('holds every rule of its records', () => {
    for (const entry of entries) {
      expect(brokenRuleOfEntry(entry)).toBeNull();
      expect(encodeEntry(entry).length).toBeGreaterThan(5);
    }
    expect(new Set(entries.map(identityOf)).size).toBe(entries.length);
  });

  it('gives the same bytes each time', () => {
    const again = builtInCatalogue().entries.map(encodeEntry);
    expect(Buffer.concat(again).equals(Buffer.concat(entries.map(encodeEntry)))).toBe(true);
  });

  it('refuses the one price that changes with the time of day, and lists the offering', () => {
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({
      offering: 'deepseek-v4-pro|deepseek||',
      code: 'rule_broken',
    });
    expect(refused[0]!.reason).toContain('time_of_date');
    const isRefused = (value: { model: string; provider: string }): boolean =>
      value.model === 'deepseek-v4-pro' && value.provider === 'deepseek';
    expect(valuesOf('CatalogueOffering').filter(isRefused)).toHaveLength(1);
    expect(valuesOf('CataloguePrice').filter(isRefused)).toEqual([]);
  });

  it('costs what the source of prices computes, at any size and moment', () => {
    const priced = join.offerings.filter(({ provider, model }) =>
      valuesOf('CataloguePrice').some((it) => it.provider === provider && it.model === model),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...priced),
        fc.integer({ min: 1, max: 600_000 }),
        fc.integer({ min: 0, max: 1_000 }),
        fc.integer({ min: 1, max: 50_000 }),
        fc.date({ min: new Date('2025-01-01'), max: new Date('2027-06-01'), noInvalidDate: true }),
        (row, input, cachedPermille, output, at) => {
          const cached = Math.floor((input * cachedPermille) / 1000);
          const prices = valuesOf('CataloguePrice').filter(
            (it) => it.provider === row.provider && it.model === row.model,
          );
          const ours = costNanoUsd(priceAt(prices, at.getTime())!.tiers, {
            input,
            cachedInput: cached,
            cacheWrite: null,
            output,
          })!;
          const usage = { input_tokens: input, cache_read_tokens: cached, output_tokens: output };
          const source = findProvider({ providerId: row.prices.provider })!;
          const model = source.models.find(({ id }) => id === row.prices.id)!;
          // The source finds a model by pattern: alone it is the one that is meant.
          const only = { ...model, match: { equals: 'it' } };
          const provider = { ...source, models: [only] };
          const theirs = calcPrice(usage, 'it', { provider, timestamp: at })!.total_price * 1e9;
          expect(Math.abs(Number(ours) - theirs)).toBeLessThanOrEqual(1 + theirs * 1e-9);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('assemble', () => {
  const row = {
    model: 'm',
    provider: 'p',
    call_as: 'm',
    prices: { provider: 'p', id: 'm' },
    limits: null,
  };
  const small: JoinTable = {
    providers: [{ name: 'p', display_name: 'P' }],
    models: [{ name: 'm', display_name: 'M', capabilities: null, aliases: [] }],
    offerings: [row],
  };
  const sources = {
    prices: () => ({ id: 'm', match: { equals: 'm' }, prices: { input_mtok: 1, output_mtok: 2 } }),
    limits: () => undefined,
  };

  it('says of an offering only what differs from its model', () => {
    const contexts: Record<string, number> = { a: 100, b: 100, c: 50 };
    const rows = Object.keys(contexts).map((region) => ({
      ...row,
      region,
      limits: { provider: 'p', id: region },
    }));
    const { entries } = assemble(
      { ...small, offerings: rows },
      { ...sources, limits: (_, id) => ({ tool_call: true, limit: { context: contexts[id]! } }) },
    );
    expect(entries).toContainEqual(
      expect.objectContaining({
        record: 'CatalogueModel',
        value: expect.objectContaining({ capabilities: ['tools'], context_tokens: 100 }),
      }),
    );
    const offered = entries.flatMap((it) => (it.record === 'CatalogueOffering' ? [it.value] : []));
    expect(offered.map((it) => [it.region, it.context_tokens, it.capabilities])).toEqual([
      ['a', null, null],
      ['b', null, null],
      ['c', 50, null],
    ]);
  });

  it('has one price for all regions, and refuses two', () => {
    const two = {
      ...small,
      offerings: [row, { ...row, region: 'eu', prices: { provider: 'p', id: 'other' } }],
    };
    const { entries } = assemble({ ...small, offerings: [row, { ...row, region: 'eu' }] }, sources);
    expect(entries.filter((it) => it.record === 'CataloguePrice')).toHaveLength(1);
    expect(() => assemble(two, sources)).toThrow(/describes it twice/);
  });

  it('fails on a row that names what no source has', () => {
    expect(() => assemble(small, { ...sources, prices: () => undefined })).toThrow(/m\|p\|\|/);
    expect(() => assemble({ ...small, providers: [] }, sources)).toThrow(/m\|p\|\|/);
  });
});
