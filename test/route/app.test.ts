import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/event/outcome.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { virtualMint } from '../../src/route/mint.js';
import { catalogueSnapshot, type Snapshot } from '../../src/route/snapshot.js';
import { AS_OF, catalogue } from './fixtures.js';
import { a, appOf, b, model, post, snapshot } from './route-app.js';

describe('POST /v1/route', () => {
  it('answers in the documented shape', async () => {
    const answer = await appOf().app.inject(post({ model }));
    expect(answer.statusCode).toBe(200);
    const body = answer.json();
    expect(Object.keys(body)).toEqual([
      'decision_id',
      'policy',
      'policy_hash',
      'variant',
      'unit',
      'strategy',
      'candidates',
      'explored',
      'degraded',
      'state',
    ]);
    expect(body.decision_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
    expect(Object.keys(body.candidates[0])).toEqual([
      'offering',
      'model',
      'provider',
      'deployment',
      'region',
      'call_as',
      'rank',
      'propensity',
      'score',
      'expected',
      'reasons',
    ]);
    expect(Object.keys(body.candidates[0].expected)).toEqual([
      'duration_ms_p50',
      'ttft_ms_p50',
      'cost_nano_usd',
      'success_ratio',
    ]);
    expect(body.state).toEqual({
      as_of: AS_OF * 1000,
      version: 7,
      vector: { outcomes: [3, 4] },
      generation: '1-db',
      age_ms: 250,
    });
  });

  it('names the vector of the slower lane where it is behind', async () => {
    const lanes = snapshot.state!.lanes;
    const behind = { ...lanes.metrics!, version: 6, vector: { outcomes: [3, 3] } };
    const state = { ...snapshot.state!, lanes: { ...lanes, metrics: behind } };
    const answer = await appOf({ ...snapshot, state }).app.inject(post({ model }));
    expect(answer.json().state).toMatchObject({
      version: 7,
      vector: { outcomes: [3, 4], 'metrics:outcomes': [3, 3] },
    });
  });

  it('gives each decision to the log after its answer, with all that it was made from', async () => {
    const decisions: Decision[] = [];
    const { app } = appOf(snapshot, { onDecision: (it) => decisions.push(it) });
    const body = { model, tried: [b.offering], provider: { ignore: ['x'], only: [] } };
    const answer = (await app.inject(post(body))).json();
    expect(decisions).toHaveLength(1);
    expect(decisions[0]).toMatchObject({
      decided_at: AS_OF * 1000 + 250,
      as_of: AS_OF * 1000,
      strategy: 'auto',
      algorithm: 'auto/7',
      state: { generation: '1-db', version: 7 },
      unit: 'decision',
      eligible: [{ offering: a.offering, mass: 2 ** 20 }],
      excluded: [{ offering: b.offering, reason: 'tried' }],
      slate: [a.offering],
      request_hashed: false,
    });
    expect(Buffer.from(decisions[0]!.decision_id).toString('hex')).toBe(
      answer.decision_id.replaceAll('-', ''),
    );
    expect(decisions[0]!.request).toBe(
      `{"limit":3,"model":"${model}","operation":"chat","provider":{"ignore":["x"],"only":[]},` +
        `"request_id":"","stream":false,"tried":["${b.offering}"]}`,
    );
  });

  it('keeps the hash of a request that is too long for the log', async () => {
    const decisions: Decision[] = [];
    const { app } = appOf(snapshot, { onDecision: (it) => decisions.push(it) });
    await app.inject(post({ model, tried: ['x'.repeat(2048)] }));
    expect(decisions[0]).toMatchObject({ request_hashed: true });
    expect(decisions[0]!.request).toMatch(/^[0-9a-f]{64}$/);
  });

  it('answers an error with no decision', async () => {
    const decisions: Decision[] = [];
    const { app } = appOf(snapshot, { onDecision: (it) => decisions.push(it) });
    await app.inject(post({ model: 'x' }));
    expect(decisions).toEqual([]);
  });

  it('I8 decides the same twice in virtual time', async () => {
    const { app } = appOf(snapshot, { mint: virtualMint('seed') });
    const headers = { 'x-airouter-virtual-time': String(AS_OF * 1000 + 5) };
    const ask = async (id: string) =>
      (await app.inject(post({ model, request_id: id }, headers))).body;
    expect(await ask('1')).toBe(await ask('1'));
    expect(await ask('1')).not.toBe(await ask('2'));
    const answer = await app.inject(post({ model, request_id: '1' }));
    expect(answer.json()).toMatchObject({
      code: 'invalid_request',
      field: 'x-airouter-virtual-time',
    });
  });

  it('I10 answers in catalogue order without any hot key, and says so', async () => {
    const cold = catalogueSnapshot(catalogue([a, b]));
    const body = (await appOf(cold).app.inject(post({ model }))).json();
    expect(body.degraded).toEqual(['no_cache']);
    expect(body.candidates.map((it: { offering: string }) => it.offering)).toEqual([
      a.offering,
      b.offering,
    ]);
    expect(body.state).toMatchObject({ generation: '', version: 0, age_ms: null });
  });

  it('is not ready with neither hot keys nor catalogue', async () => {
    const answer = await appOf(null).app.inject(post({ model }));
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toMatchObject({ code: 'not_ready' });
  });

  it('says who was removed by what', async () => {
    const answer = await appOf().app.inject(post({ model, provider: { only: ['nobody'] } }));
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({
      code: 'no_eligible_offering',
      excluded: [
        { offering: b.offering, reason: 'provider_not_allowed' },
        { offering: a.offering, reason: 'provider_not_allowed' },
      ],
    });
  });

  it('serves loopback alone', async () => {
    const { app } = appOf();
    const from = async (remoteAddress: string) =>
      (await app.inject({ ...post({ model }), remoteAddress })).statusCode;
    expect(await from('10.0.0.1')).toBe(403);
    expect(await from('127.0.0.1.evil')).toBe(403);
    expect(await from('127.0.0.9')).toBe(200);
    expect(await from('::1')).toBe(200);
    expect(await from('::ffff:127.0.0.1')).toBe(200);
    const forwarded = post({ model }, { 'x-forwarded-for': '127.0.0.1' });
    expect((await app.inject({ ...forwarded, remoteAddress: '10.0.0.1' })).statusCode).toBe(403);
  });

  it('hides the text of a defect, logs it once, and goes on', async () => {
    const { app, lines } = appOf(snapshot, {
      mint: () => {
        throw new Error('secret');
      },
    });
    for (let i = 0; i < 3; i++) {
      const answer = await app.inject(post({ model }));
      expect(answer.statusCode).toBe(500);
      expect(answer.json()).toMatchObject({ code: 'internal' });
      expect(answer.body).not.toContain('secret');
    }
    expect(lines).toEqual(['A request failed by a defect.']);
  });

  it('says once that the state is stale, and once that it is fresh again', async () => {
    let nowMs = AS_OF * 1000;
    const { app, lines } = appOf(snapshot, { clock: { nowMs: () => nowMs } });
    for (const age of [0, 11_000, 12_000, 10_000, 0]) {
      nowMs = AS_OF * 1000 + age;
      const body = (await app.inject(post({ model }))).json();
      expect(body.degraded.includes('stale')).toBe(age > 10_000);
      expect(body.state.age_ms).toBe(age);
    }
    expect(lines).toEqual(['The state is stale; answers say so.', 'The state is fresh again.']);
  });
});

describe('the server', () => {
  it('answers what is not HTTP with a problem, and hangs up', async () => {
    const { app } = appOf();
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write('NOT HTTP\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    await app.close();
    const [head, body] = text.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json/);
    expect(JSON.parse(body!)).toMatchObject({ code: 'invalid_request', field: 'request' });
  });

  it('I11 bounds its sockets and its waits', () => {
    const { server } = appOf().app;
    expect(server.maxConnections).toBe(10_000);
    expect(server.requestTimeout).toBe(10_000);
    expect(server.timeout).toBe(60_000);
    expect(server.keepAliveTimeout).toBe(72_000);
  });
});

describe('the probes', () => {
  it('tell anybody whether it lives and is ready', async () => {
    const remoteAddress = '10.0.0.1';
    const get = (url: string, current: Snapshot | null) =>
      appOf(current).app.inject({ method: 'GET', url, remoteAddress });
    expect((await get('/healthz', null)).json()).toEqual({ status: 'ok' });
    expect((await get('/readyz', null)).statusCode).toBe(503);
    expect((await get('/readyz', snapshot)).json()).toEqual({
      status: 'ready',
      generation: '1-db',
      age_ms: 250,
    });
  });

  it('count decisions', async () => {
    const { app } = appOf(snapshot, { metrics: createMetrics() });
    await app.inject(post({ model }));
    const answer = await app.inject({ method: 'GET', url: '/metrics' });
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(answer.body).toMatch(/airouter_decisions_total\{strategy="auto",degraded="none"\} 1/);
    expect(
      (await app.inject({ method: 'GET', url: '/metrics', remoteAddress: '10.0.0.1' })).statusCode,
    ).toBe(403);
  });
});
