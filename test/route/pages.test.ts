import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bucketHigh, bucketOf } from '../../src/fold/histogram.js';
import type { LatencyMetric, LatencyRow } from '../../src/hotkeys/values.js';
import { createRouteApp } from '../../src/route/app.js';
import { AS_OF, catalogue, health, MINUTE, minute, offering, snapshotOf } from './fixtures.js';
import { appOf } from './route-app.js';

const a = offering('openai/gpt-x', 'openai');
const plain = offering('plain', 'openai', { prices: [] });

/** Each value once. */
function row(metric: LatencyMetric, values: number[], other: Partial<LatencyRow> = {}): LatencyRow {
  const buckets = values.map(bucketOf);
  const first = Math.min(...buckets);
  const counts = new Array<number>(Math.max(...buckets) - first + 1).fill(0);
  for (const bucket of buckets) counts[bucket - first]! += 1;
  const key = { minute: MINUTE - 3, operation: 'chat', stream: true, fallback: false };
  return { ...key, metric, censored: 0, histogram: [first, ...counts], ...other };
}

const hundred = Array.from({ length: 100 }, (_, i) => (i + 1) * 10);
const hour = Math.floor(AS_OF / 3600);
const snapshot = snapshotOf({
  models: catalogue([a, plain], { aliases: { latest: a.model } }),
  providers: { providers: [{ name: 'openai', display_name: 'OpenAI', enabled: true }] },
  health: health({}),
  [`metrics:${a.offering}`]: {
    offering: a.offering,
    minutes: [
      minute(2, { success: 9, error: 1, cancelled: 50 }, { stream: true }),
      minute(20, { success: 90, timeout: 0 }, { stream: true }),
      minute(2, { error: 99 }, { fallback: true }),
      minute(31, { error: 99 }),
    ],
    latency: [
      row('ttft_ms', hundred),
      row('ttft_ms', [3_000_000], { minute: MINUTE - 30 }),
      row('ttft_ms', [3_000_000], { fallback: true }),
      row('duration_ms', [500], { stream: false }),
      row('time_per_output_token_us', [10_000, 20_000, 20_000, 40_000]),
    ],
  },
  uptime: {
    [a.offering]: [
      [hour - 24, 0, 1000],
      [hour - 23, 90, 10],
      [hour, 10, 0],
    ],
  },
});

let nowMs = AS_OF * 1000 + 1;
const app = createRouteApp({
  snapshotSource: { current: () => snapshot },
  clock: { nowMs: () => nowMs },
  logger: { info: () => {}, warn: () => {}, error: () => {} },
  staleAfterMs: 10_000,
});
const get = (url: string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'GET', url, headers });

describe('the pages', () => {
  it('list models in the shape of OpenAI, with their offerings', async () => {
    const { object, data } = (await get('/v1/models')).json();
    expect(object).toBe('list');
    expect(data.map((it: { id: string }) => it.id)).toEqual(['openai/gpt-x', 'plain']);
    expect(data[0]).toMatchObject({ object: 'model', created: 0, owned_by: 'airouter' });
    expect(data[0].offerings[0]).toMatchObject({ offering: a.offering, provider: 'openai' });
    expect(data[0].offerings[0].prices[0].tiers[0]).toMatchObject({
      input: 1_000_000_000,
      cached_input: null,
    });
  });

  it.each([
    '/v1/models/openai/gpt-x/endpoints',
    '/v1/models/openai%2Fgpt-x/endpoints',
    '/v1/models/latest/endpoints',
  ])('%s has what was measured in the last 30 minutes', async (url) => {
    const { data } = (await get(url)).json();
    expect(data).toMatchObject({ id: 'openai/gpt-x', as_of: AS_OF * 1000, stream: true });
    const at = (value: number) => bucketHigh(bucketOf(value));
    expect(data.endpoints[0]).toMatchObject({
      offering: a.offering,
      breaker: 'closed',
      context_length: 128_000,
      latency_last_30m: { p50: at(500), p75: at(750), p90: at(900), p99: at(990) },
      uptime_last_5m: 0.9,
      uptime_last_30m: 0.99,
      uptime_last_1d: 100 / 110,
      samples: {
        latency_last_30m: 100,
        throughput_last_30m: 5 - 1,
        uptime_last_5m: 10,
        uptime_last_30m: 100,
        uptime_last_1d: 110,
      },
    });
    const { p50, p99 } = data.endpoints[0].throughput_last_30m;
    // Tokens a second: half of the answers reach p50, nearly all p99.
    expect(p50).toBeCloseTo(1e6 / at(20_000), 0);
    expect(p99).toBeCloseTo(1e6 / at(40_000), 0);
  });

  it('have whole answers apart from streamed ones', async () => {
    const { data } = (await get('/v1/models/openai/gpt-x/endpoints?stream=false')).json();
    expect(data.stream).toBe(false);
    expect(data.endpoints[0].samples.latency_last_30m).toBe(1);
    expect(data.endpoints[0].latency_last_30m.p50).toBe(bucketHigh(bucketOf(500)));
  });

  it('say null of what was not measured', async () => {
    const { data } = (await get('/v1/models/plain/endpoints')).json();
    expect(data.endpoints[0]).toMatchObject({
      price: null,
      latency_last_30m: null,
      throughput_last_30m: null,
      uptime_last_5m: null,
      uptime_last_1d: null,
      samples: { latency_last_30m: 0 },
    });
  });

  it('have one model', async () => {
    const body = (await get('/v1/models/openai/gpt-x')).json();
    expect(body).toMatchObject({
      id: 'openai/gpt-x',
      object: 'model',
      display_name: 'OPENAI/GPT-X',
    });
    expect(body).not.toHaveProperty('data');
  });

  it('tell what is not there, and what is no parameter', async () => {
    for (const url of ['/v1/models/x', '/v1/models/x/endpoints', '/v1/models/__proto__']) {
      const answer = await get(url);
      expect(answer.statusCode).toBe(404);
      expect(answer.json()).toMatchObject({ code: 'model_not_found' });
    }
    for (const limit of ['0', '1001', '-1', '1.5', 'x', '']) {
      const answer = await get(`/v1/models?limit=${limit}`);
      expect(answer.json()).toMatchObject({ code: 'invalid_request', field: 'limit' });
    }
    const answer = await get('/v1/models?page=5');
    expect(answer.json()).toMatchObject({ code: 'invalid_request', field: 'page' });
  });

  it('have all that belongs to a model in one call', async () => {
    const [first] = (await get('/v1/models')).json().data;
    expect(first).toMatchObject({ aliases: ['latest'] });
    expect(first.offerings[0].prices).not.toEqual([]);
  });

  it.each(['/v1/models', '/v1/providers'])('give %s in parts that make the whole', async (url) => {
    const whole = (await get(url)).json();
    expect(whole).toMatchObject({ has_more: false, first_id: whole.data[0].id });
    for (const limit of [1, 2, 1000]) {
      const found: unknown[] = [];
      let after = '';
      for (;;) {
        const part = (await get(`${url}?limit=${limit}&after=${after}`)).json();
        expect(part.data.length).toBeLessThanOrEqual(limit);
        found.push(...part.data);
        if (!part.has_more) break;
        after = encodeURIComponent(part.last_id);
      }
      expect(found).toEqual(whole.data);
    }
    const behind = await get(`${url}?after=~`);
    expect(behind.json()).toEqual({
      object: 'list',
      data: [],
      first_id: null,
      last_id: null,
      has_more: false,
    });
  });

  it('list providers and strategies', async () => {
    expect((await get('/v1/providers')).json().data).toEqual([
      {
        id: 'openai',
        object: 'provider',
        display_name: 'OpenAI',
        enabled: true,
        models: 2,
        offerings: 2,
      },
    ]);
    const { data } = (await get('/v1/strategies')).json();
    expect(data[0]).toMatchObject({ id: 'auto', algorithm: 'auto/7', order: 'drawn' });
  });

  it('are not sent again to who has them', async () => {
    for (const url of ['/v1/models', '/v1/models/plain/endpoints', '/v1/strategies']) {
      const first = await get(url);
      const etag = String(first.headers['etag']);
      const second = await get(url, { 'if-none-match': etag });
      expect(second.statusCode).toBe(304);
      expect(second.body).toBe('');
      expect(first.headers['cache-control']).toBe('private, no-cache');
      for (const known of ['*', `"other", ${etag}`, etag.replace('W/', '')]) {
        expect((await get(url, { 'if-none-match': known })).statusCode).toBe(304);
      }
      expect((await get(url, { 'if-none-match': '"other"' })).body).toBe(first.body);
    }
  });

  it.each(['br', 'gzip'])('are compressed with %s for who accepts it', async (encoding) => {
    const many = Array.from({ length: 30 }, (_, i) => offering(`m${i}`, 'openai'));
    const large = appOf(snapshotOf({ models: catalogue(many) })).app;
    const url = '/v1/models';
    const plain = await large.inject({ url });
    const answer = await large.inject({ url, headers: { 'accept-encoding': encoding } });
    expect(answer.headers).toMatchObject({
      'content-encoding': encoding,
      vary: 'accept-encoding',
      etag: plain.headers['etag'],
    });
    const expand = encoding === 'br' ? brotliDecompressSync : gunzipSync;
    expect(expand(answer.rawPayload).toString()).toBe(plain.body);
    const short = await get('/v1/models/none', { 'accept-encoding': encoding });
    expect(short.headers['content-encoding']).toBeUndefined();
    expect(plain.headers).toMatchObject({ vary: 'accept-encoding' });
    expect(plain.headers['content-encoding']).toBeUndefined();
  });

  it('are of the second in which they are asked for', async () => {
    const asOf = async () => (await get('/v1/models/plain/endpoints')).json().data.as_of;
    expect(await asOf()).toBe(AS_OF * 1000);
    nowMs += 1000;
    expect(await asOf()).toBe(AS_OF * 1000 + 1000);
    nowMs -= 1000;
  });
});
