import { describe, expect, it } from 'vitest';
import { builtInCatalogue } from '../../src/catalogue/built-in.js';
import { DEMO_MODELS, requestOf } from '../../src/demo/requests.js';
import { readArrivals } from '../../src/demo/traces.js';
import { type AttemptResult, createWorld, TIMEOUT_MS, type World } from '../../src/demo/world.js';
import { offeringKey } from '../../src/event/offering-key.js';

const { entries } = builtInCatalogue();
const offerings = entries.flatMap((entry) =>
  entry.record === 'CatalogueOffering' ? [entry.value] : [],
);
const prices = entries.flatMap((entry) => (entry.record === 'CataloguePrice' ? [entry.value] : []));
const arrivals = readArrivals();
const firstMs = arrivals[0]!.atMs;
const lastMs = arrivals.at(-1)!.atMs;
const worldOf = (seed: string): World => createWorld({ seed, offerings, prices, firstMs, lastMs });

const world = worldOf('1');
const { brownout } = world;
const GROQ = 'llama-3.3-70b|groq||';
const OPENAI = 'gpt-4o|openai||';

const attempts = (
  count: number,
  fields: { offering: string; atMs?: number; outputTokens?: number; stream?: boolean },
  of: World = world,
): AttemptResult[] =>
  Array.from({ length: count }, (_, requestIndex) =>
    of.attempt({
      requestIndex,
      attempt: 0,
      atMs: firstMs,
      inputTokens: 1_000,
      outputTokens: 100,
      stream: true,
      ...fields,
    }),
  );
const share = (results: readonly AttemptResult[], of: (it: AttemptResult) => boolean): number =>
  results.filter(of).length / results.length;
/** Six standard errors: a share beyond that is no accident. */
const near = (found: number, expected: number, count: number): void =>
  expect(Math.abs(found - expected)).toBeLessThan(
    6 * Math.sqrt((expected * (1 - expected)) / count),
  );
const median = (results: readonly AttemptResult[]): number => {
  const times = results.filter((it) => it.status === 'success').map((it) => it.duration_ms);
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
};

describe('the requests', () => {
  const requests = arrivals.map((arrival, index) => requestOf('1', index, arrival));

  it('ask for eight models or more, each at three providers or more', () => {
    expect(DEMO_MODELS.length).toBeGreaterThanOrEqual(8);
    expect([...new Set(requests.map(({ model }) => model))].sort()).toEqual(DEMO_MODELS);
    for (const model of DEMO_MODELS) {
      const providers = offerings.filter((it) => it.model === model).map((it) => it.provider);
      expect(new Set(providers).size).toBeGreaterThanOrEqual(3);
    }
  });

  it('have the sizes of the trace and ids of their own', () => {
    expect(new Set(requests.map(({ requestId }) => requestId)).size).toBe(requests.length);
    requests.forEach(({ inputTokens, outputTokens }, index) => {
      expect([inputTokens, outputTokens]).toEqual([
        arrivals[index]!.inputTokens,
        arrivals[index]!.outputTokens,
      ]);
    });
  });

  it('follow from the seed alone', () => {
    const arrival = arrivals[77]!;
    expect(requestOf('1', 77, arrival)).toEqual(requests[77]);
    expect(requestOf('2', 77, arrival).requestId).not.toBe(requests[77]!.requestId);
  });
});

describe('the world', () => {
  it('gives the same outcome in any order, in any world of the seed', () => {
    const forwards = attempts(200, { offering: GROQ });
    const again = worldOf('1');
    const backwards = Array.from({ length: 200 }, (_, index) => 199 - index).map((requestIndex) =>
      again.attempt({
        requestIndex,
        attempt: 0,
        offering: GROQ,
        atMs: firstMs,
        inputTokens: 1_000,
        outputTokens: 100,
        stream: true,
      }),
    );
    expect(backwards.reverse()).toEqual(forwards);
    expect(attempts(200, { offering: GROQ }, worldOf('2'))).not.toEqual(forwards);
  });

  it('draws each attempt of a request anew', () => {
    const [first, second] = [0, 1].map((attempt) =>
      Array.from({ length: 500 }, (_, requestIndex) =>
        world.attempt({
          requestIndex,
          attempt,
          offering: OPENAI,
          atMs: firstMs,
          inputTokens: 10,
          outputTokens: 10,
          stream: false,
        }),
      ),
    );
    expect(second).not.toEqual(first);
  });

  it('has a failure ratio of 2 to 7 % for each offering, and outcomes that keep to it', () => {
    const ratios = [...world.profiles.values()].map(({ failureRatio }) => failureRatio);
    expect(Math.min(...ratios)).toBeGreaterThanOrEqual(0.02);
    expect(Math.max(...ratios)).toBeLessThan(0.07);
    for (const offering of [GROQ, OPENAI]) {
      const results = attempts(10_000, { offering });
      const { failureRatio } = world.profiles.get(offering)!;
      near(
        share(results, ({ status }) => status !== 'success'),
        failureRatio,
        results.length,
      );
    }
  });

  it('fails with errors, rate limits and timeouts, five to three to two', () => {
    const failed = attempts(60_000, { offering: OPENAI }).filter((it) => it.status !== 'success');
    near(
      share(failed, ({ status }) => status === 'error'),
      0.5,
      failed.length,
    );
    near(
      share(failed, ({ status }) => status === 'rate_limited'),
      0.3,
      failed.length,
    );
    near(
      share(failed, ({ status }) => status === 'timeout'),
      0.2,
      failed.length,
    );
  });

  it('says what a real answer would: statuses, retry-after, and nothing where nothing is known', () => {
    const results = attempts(5_000, { offering: OPENAI });
    for (const it of results) {
      expect(Number.isInteger(it.duration_ms) && it.duration_ms > 0).toBe(true);
      if (it.status === 'success') {
        expect(it).toMatchObject({ http_status: 200, input_tokens: 1_000, output_tokens: 100 });
        expect(it.ttft_ms).toBeLessThanOrEqual(it.duration_ms);
        expect(it.ttft_ms).toBeGreaterThan(0);
      } else {
        expect(it).toMatchObject({ ttft_ms: null, output_tokens: null, cost_nano_usd: null });
      }
      if (it.status === 'error') expect([500, 502, 503]).toContain(it.http_status);
      if (it.status === 'rate_limited') expect(it.retry_after_ms).toBeGreaterThanOrEqual(1_000);
      if (it.status === 'timeout') {
        expect(it).toMatchObject({ http_status: null, duration_ms: TIMEOUT_MS });
      }
    }
    const whole = attempts(100, { offering: OPENAI, stream: false });
    expect(whole.every(({ ttft_ms }) => ttft_ms === null)).toBe(true);
  });

  it('gives up after a minute, however long the answer would take', () => {
    const results = attempts(200, { offering: OPENAI, outputTokens: 1_000_000 });
    expect(results.filter(({ status }) => status === 'success')).toEqual([]);
    expect(Math.max(...results.map((it) => it.duration_ms))).toBe(TIMEOUT_MS);
  });

  it('states costs for some offerings, exactly, and none for the others', () => {
    const [first] = attempts(1, { offering: OPENAI });
    expect(first!.status).toBe('success');
    const priced = [...world.profiles].filter(([, it]) => it.knowsCost && it.prices.length > 0);
    expect(priced.length).toBeGreaterThan(20);
    expect(priced.length).toBeLessThan(offerings.length - 20);
    for (const [offering, { cachedRatio, prices: own }] of priced) {
      const tier = own[0]!.tiers[0]!;
      const result = attempts(60, { offering, outputTokens: 1_000 }).find(
        ({ status }) => status === 'success',
      )!;
      const cached = cachedRatio === null ? 0 : result.cached_input_tokens!;
      expect(result.cost_nano_usd).toBe(
        Math.round(
          ((1_000 - cached) * tier.input! +
            cached * (tier.cached_input ?? tier.input!) +
            1_000 * tier.output!) /
            1e6,
        ),
      );
    }
  });

  it('refuses an offering that it was not made with', () => {
    expect(() => attempts(1, { offering: 'gpt-9|nobody||' })).toThrow(/gpt-9\|nobody/);
  });
});

describe('the brown-out', () => {
  it('is the middle third of the trace, at a provider of several of the models', () => {
    expect(brownout.fromMs - firstMs).toBe(Math.floor((lastMs - firstMs) / 3));
    expect(brownout.toMs - brownout.fromMs).toBe(brownout.fromMs - firstMs);
    const served = offerings.filter((it) => it.provider === brownout.provider);
    const asked = served.filter(({ model }) => DEMO_MODELS.includes(model)).map(offeringKey);
    expect(asked.length).toBeGreaterThanOrEqual(4);
  });

  it('fails 60 % and takes five times as long, from its first moment until it is over', () => {
    const calm = attempts(10_000, { offering: GROQ });
    for (const atMs of [brownout.fromMs, brownout.toMs - 1]) {
      const results = attempts(10_000, { offering: GROQ, atMs });
      near(
        share(results, ({ status }) => status !== 'success'),
        0.6,
        results.length,
      );
      expect(Math.abs(median(results) / median(calm) - 5)).toBeLessThan(0.3);
    }
    expect(attempts(10_000, { offering: GROQ, atMs: brownout.fromMs - 1 })).toEqual(calm);
    expect(attempts(10_000, { offering: GROQ, atMs: brownout.toMs })).toEqual(calm);
  });

  it('leaves other providers as they are', () => {
    expect(attempts(1_000, { offering: OPENAI, atMs: brownout.fromMs })).toEqual(
      attempts(1_000, { offering: OPENAI }),
    );
  });
});
