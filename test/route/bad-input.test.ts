import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/errors.js';
import { appOf, model, post } from './route-app.js';

describe('bad input', () => {
  const { app } = appOf();
  const many = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);
  const latencyAt = (cutoff: unknown) => ({
    model,
    provider: { preferred_max_latency: cutoff },
  });

  it.each<[string, unknown, string, string]>([
    ['null', null, 'invalid_request', 'body'],
    ['a number', 5, 'invalid_request', 'body'],
    ['a list', [], 'invalid_request', 'body'],
    ['no model', {}, 'invalid_request', 'body'],
    ['two kinds of model', { model, models: [model] }, 'invalid_request', 'body'],
    ['model null', { model: null }, 'invalid_request', 'model'],
    ['model 5', { model: 5 }, 'invalid_request', 'model'],
    ['model empty', { model: '' }, 'invalid_request', 'model'],
    ['model too long', { model: 'x'.repeat(257) }, 'invalid_request', 'model'],
    ['no models', { models: [] }, 'invalid_request', 'models'],
    ['too many models', { models: many(33) }, 'invalid_request', 'models'],
    ['stream "true"', { model, stream: 'true' }, 'invalid_request', 'stream'],
    ['stream 0', { model, stream: 0 }, 'invalid_request', 'stream'],
    ['stream null', { model, stream: null }, 'invalid_request', 'stream'],
    ['limit "5"', { model, limit: '5' }, 'invalid_request', 'limit'],
    ['limit false', { model, limit: false }, 'invalid_request', 'limit'],
    ['limit null', { model, limit: null }, 'invalid_request', 'limit'],
    ['limit 0', { model, limit: 0 }, 'invalid_request', 'limit'],
    ['limit 1.5', { model, limit: 1.5 }, 'invalid_request', 'limit'],
    ['unknown strategy', { model, strategy: 'best' }, 'invalid_request', 'strategy'],
    ['unknown operation', { model, operation: 'sing' }, 'invalid_request', 'operation'],
    ['unknown field', { model, modle: 'x' }, 'invalid_request', 'modle'],
    ['unknown estimate', { model, estimate: { tokens: 1 } }, 'invalid_request', 'estimate.tokens'],
    [
      'tokens < 0',
      { model, estimate: { input_tokens: -1 } },
      'invalid_request',
      'estimate.input_tokens',
    ],
    [
      'tokens null',
      { model, estimate: { input_tokens: null } },
      'invalid_request',
      'estimate.input_tokens',
    ],
    ['tried a text', { model, tried: 'x' }, 'invalid_request', 'tried'],
    ['tried [5]', { model, tried: [5] }, 'invalid_request', 'tried.0'],
    ['provider a text', { model, provider: 'openai' }, 'invalid_request', 'provider'],
    [
      'sort by quality',
      { model, provider: { sort: 'quality' } },
      'invalid_request',
      'provider.sort',
    ],
    [
      'price < 0',
      { model, provider: { max_price: { prompt: -1 } } },
      'invalid_request',
      'provider.max_price.prompt',
    ],
    ['a policy that is not there', { model, policy: 'x' }, 'invalid_request', 'policy'],
    ['a policy without a name', { model, policy: '' }, 'invalid_request', 'policy'],
    ['a seed that is no text', { model, seed: 1 }, 'invalid_request', 'seed'],
    ['a long sticky key', { model, sticky_key: 'u'.repeat(513) }, 'invalid_request', 'sticky_key'],
    ['explain as text', { model, explain: 'yes' }, 'invalid_request', 'explain'],
    ['zdr', { model, provider: { zdr: true } }, 'unsupported_field', 'provider.zdr'],
    [
      'latency < 0',
      { model, provider: { preferred_max_latency: { p90: -1 } } },
      'invalid_request',
      'provider.preferred_max_latency.p90',
    ],
    [
      'an unknown percentile',
      { model, provider: { preferred_min_throughput: { p95: 1 } } },
      'invalid_request',
      'provider.preferred_min_throughput.p95',
    ],
    [
      'a window of hours',
      { model, latency: { window_minutes: 60 } },
      'invalid_request',
      'latency.window_minutes',
    ],
    [
      'price of images',
      { model, provider: { max_price: { image: 1 } } },
      'unsupported_field',
      'provider.max_price.image',
    ],
    ['explain null', { model, explain: null }, 'invalid_request', 'explain'],
    ['sticky key null', { model, sticky_key: null }, 'invalid_request', 'sticky_key'],
    ['cut off', '{"model":', 'invalid_request', 'body'],
    ['empty', '', 'invalid_request', 'body'],
    ['__proto__', `{"model":"m","__proto__":{"limit":1}}`, 'invalid_request', 'body'],
    ['constructor', `{"model":"m","constructor":{"prototype":{}}}`, 'invalid_request', 'body'],
  ])('%s is refused by name and rule', async (_name, payload, code, field) => {
    const answer = await app.inject(post(payload));
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ code, field, status: 400 });
    expect(answer.json().rule).toMatch(/\S/);
  });

  it.each<[unknown, string]>([
    ['{', 'body must be well-formed JSON, without __proto__ and constructor.prototype'],
    [{}, 'body must be an object with exactly one of model, models and model_set'],
    [
      { model, models: [model] },
      'body must be an object with exactly one of model, models and model_set',
    ],
    [{ model: null }, 'model must be a string'],
    [{ model: '' }, 'model must be of at least 1 character'],
    [{ model, request_id: 'x'.repeat(129) }, 'request_id must be of at most 128 characters'],
    [{ models: [] }, 'models must be an array of at least 1 item'],
    [{ models: many(33) }, 'models must be an array of at most 32 items'],
    [{ model, stream: 1 }, 'stream must be true or false'],
    [{ model, limit: 1.5 }, 'limit must be an integer'],
    [{ model, limit: 33 }, 'limit must be <= 32'],
    [latencyAt('slow'), 'provider.preferred_max_latency must be an object or a number'],
    [latencyAt(0), 'provider.preferred_max_latency must be > 0'],
    [latencyAt({}), 'provider.preferred_max_latency must be an object with at least 1 field'],
    [latencyAt({ p90: 'slow' }), 'provider.preferred_max_latency.p90 must be a number'],
  ])('the rule is said in words: %j', async (payload, detail) => {
    expect((await app.inject(post(payload))).json().detail).toBe(detail);
  });

  it.each([
    ['/v1/models?limit=x', 'limit must be an integer of 1..1000'],
    ['/v1/board?limit=101', 'limit must be an integer of 1..100'],
  ])('so is that of a query: %s', async (url, detail) => {
    expect((await app.inject(url)).json().detail).toBe(detail);
  });

  it('takes the unsupported fields where they say nothing', async () => {
    const answer = await app.inject(post({ model, sticky_key: '', explain: false }));
    expect(answer.statusCode).toBe(200);
  });

  it('takes a model named __proto__ for one that is not there', async () => {
    expect((await app.inject(post({ model: '__proto__' }))).json().code).toBe('model_not_found');
    expect((await app.inject(post({ model: 'constructor' }))).json().code).toBe('model_not_found');
  });

  it.each([
    'text/plain',
    'text/json',
    'application/jsonp',
    'application/json-seq',
    'application/vnd.api+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '',
  ])('media type %j is refused', async (type) => {
    const answer = await app.inject(post({ model }, { 'content-type': type }));
    expect(answer.statusCode).toBe(415);
    expect(answer.json()).toMatchObject({ code: 'unsupported_media_type' });
  });

  it.each(['application/json; charset=utf-8', 'Application/JSON', 'application/json;x=y'])(
    'media type %j is taken',
    async (type) => {
      expect((await app.inject(post({ model }, { 'content-type': type }))).statusCode).toBe(200);
    },
  );

  it('I11 a body of 64 KiB is read, a larger one is not', async () => {
    const padded = (bytes: number) => {
      const text = JSON.stringify({ model });
      return text + ' '.repeat(bytes - text.length);
    };
    expect((await app.inject(post(padded(65_536)))).statusCode).toBe(200);
    const answer = await app.inject(post(padded(65_537)));
    expect(answer.statusCode).toBe(413);
    expect(answer.json()).toMatchObject({ code: 'payload_too_large', field: 'body' });
  });

  it.each(['/nothing', '/v1/route/', '/v1/modelsx', '/v1', '/v1xroute'])(
    'what is no route is told so: %s',
    async (url) => {
      const answer = await app.inject({ method: 'POST', url, payload: 'x' });
      expect(answer.statusCode).toBe(404);
      expect(answer.headers.allow).toBeUndefined();
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.json()).toMatchObject({ code: 'not_found', title: ERRORS.not_found.meaning });
    },
  );

  it.each([
    ['GET', '/v1/route', 'POST'],
    ['OPTIONS', '/v1/route', 'POST'],
    ['DELETE', '/v1/models', 'GET, HEAD'],
    ['POST', '/v1/models?limit=5', 'GET, HEAD'],
    ['PUT', '/v1/models/vendor/with%2Fslashes/endpoints', 'GET, HEAD'],
    ['PATCH', '/healthz', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
  ] as const)('what is no method of a route is told so: %s %s', async (method, url, allow) => {
    const headers = { 'content-type': 'text/plain' };
    const answer = await app.inject({ method, url, headers, payload: 'x' });
    expect(answer.statusCode).toBe(405);
    expect(answer.headers.allow).toBe(allow);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ code: 'method_not_allowed', field: 'method' });
  });

  it('a broken URL is told so', async () => {
    const answer = await app.inject({ method: 'GET', url: '/v1/models/%zz' });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid_request', field: 'url' });
  });
});
