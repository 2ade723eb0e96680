import { expect, it } from 'vitest';
import { RouteRefused } from '../../src/client/client.js';
import type { OutcomeInput } from '../../src/client/types.js';
import { TOPICS, uuid } from '../ingest/ingest-app.js';
import { a, model } from '../route/route-app.js';
import { airouter, clientOf, nobody, server, until } from './servers.js';

const outcome = (n: number, fields: Partial<OutcomeInput> = {}): OutcomeInput => ({
  event_id: uuid(n),
  model: 'm',
  provider: 'p',
  duration_ms: 5,
  http_status: 200,
  ...fields,
});

it('routes, and says that the router did', async () => {
  const client = clientOf((await airouter()).url);
  const answer = await client.route({ model });
  expect(answer.fallback).toBeNull();
  expect(answer.decision_id).toMatch(/^[0-9a-f-]{36}$/);
  expect(answer.candidates[0]?.propensity).toBeGreaterThan(0);
  expect((await client.models()).map(({ id }) => id)).toContain(model);
  expect(client.stats()).toMatchObject({ routed: 1, fellBack: 0 });
});

it.each<[string, () => Promise<string>, RegExp, number?]>([
  ['is down', nobody, /ECONNREFUSED/],
  ['is slow', () => server(() => {}), /no answer in 300 ms/, 300],
  ['stops in the middle', () => server((_, it) => it.writeHead(200).write('{')), /300 ms/, 300],
  ['is not ready', () => server((_, it) => it.writeHead(503).end()), /answered 503/],
  ['refuses the key', () => server((_, it) => it.writeHead(401).end()), /answered 401/],
  ['is something else', () => server((_, it) => it.writeHead(200).end('hello')), /answered 200/],
])(
  'I10 answers its own order where the router %s',
  async (_, urlOf, reason, timeoutMs = 20_000) => {
    const client = clientOf(await urlOf(), { timeoutMs });
    const answer = await client.route({ model });
    expect(answer.fallback?.reason).toMatch(reason);
    expect(answer.degraded).toEqual(['client_fallback']);
    expect(answer.decision_id).toBeNull();
    expect(answer.candidates.map(({ offering }) => offering)).toEqual([
      `${model}|azure.ai.openai||eu`,
      `${model}|openai||`,
      `${model}|groq||`,
    ]);
    expect(client.stats()).toMatchObject({ routed: 1, fellBack: 1 });
  },
);

it('its own order leaves out what was tried and what the request rules out', async () => {
  const client = clientOf(await nobody());
  const candidates = async (request: object) =>
    (await client.route({ model, ...request })).candidates.map(({ provider }) => provider);
  expect(await candidates({ tried: [`${model}|openai||`] })).toEqual(['azure.ai.openai', 'groq']);
  expect(await candidates({ provider: { only: ['Azure', 'groq'] } })).toEqual([
    'azure.ai.openai',
    'groq',
  ]);
  expect(await candidates({ provider: { ignore: ['azure'] }, limit: 1 })).toEqual(['openai']);
  await expect(client.route({ model: 'toString' })).rejects.toThrow('ECONNREFUSED');
  await expect(client.route({ model, provider: { only: ['x'] } })).rejects.toThrow('ECONNREFUSED');
});

it('a request that is wrong, or that nothing fits, is an error of the caller', async () => {
  const client = clientOf((await airouter()).url);
  const refused = (request: object) => client.route(request).catch((error: unknown) => error);
  const wrong = await refused({ model, limit: 0 });
  expect(wrong).toBeInstanceOf(RouteRefused);
  expect(wrong).toMatchObject({ status: 400, code: 'invalid_request' });
  expect(await refused({ model: 'nothing' })).toMatchObject({ code: 'model_not_found' });
  const none = await refused({ model, tried: [a.offering], provider: { only: [a.provider] } });
  expect(none).toMatchObject({ status: 422, code: 'no_eligible_offering' });
  expect(client.stats().fellBack).toBe(0);
});

it('I1 sends outcomes with ids of its own, and counts them when they are acknowledged', async () => {
  const { url, log } = await airouter();
  const client = clientOf(url);
  const { event_id: _, ...rest } = outcome(1);
  expect(client.recordOutcome(rest)).toBe('accepted');
  expect(client.recordOutcome(outcome(2))).toBe('accepted');
  await client.flush();
  const ids = log.eventIds(TOPICS.outcomes);
  expect(ids).toHaveLength(2);
  expect(ids.some((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7/.test(id) && id !== uuid(2))).toBe(true);
  expect(client.stats().outcomes).toMatchObject({ accepted: 2, delivered: 2, queued: 0 });
});

it('I1 I2 sends again, with the same ids, until the log has them; each counts once', async () => {
  const { url, log } = await airouter();
  let left = 40;
  log.answer = () => (left-- > 0 ? (left % 3 === 0 ? 'unsaid' : 'lost') : 'ack');
  const client = clientOf(url);
  for (let n = 0; n < 300; n++) {
    client.recordOutcome(outcome(n, { model: `m${n % 5}` }));
    if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await client.flush();
  expect(log.breaches).toEqual([]);
  expect(log.folded(TOPICS.outcomes).applied).toBe(300);
  expect(client.stats().outcomes).toMatchObject({ accepted: 300, delivered: 300 });
});

it('I1 keeps outcomes while the server is down, and delivers them to the next one', async () => {
  const first = await airouter();
  await first.close();
  const client = clientOf(first.url);
  for (let n = 0; n < 20; n++) client.recordOutcome(outcome(n));
  await until(() => client.stats().outcomes.failures > 2);
  expect(client.stats().outcomes.queued).toBe(20);
  const second = await airouter(first.port);
  await client.flush();
  expect(second.log.eventIds(TOPICS.outcomes).toSorted()).toEqual(
    Array.from({ length: 20 }, (_, n) => uuid(n)),
  );
});

it('waits as long as Retry-After says', async () => {
  const times: number[] = [];
  const url = await server((request, response) => {
    times.push(performance.now());
    request.resume().on('end', () => {
      if (times.length > 1) response.writeHead(202).end('{"rejected":0}');
      else response.writeHead(503, { 'retry-after': '1' }).end();
    });
  });
  const client = clientOf(url);
  client.recordOutcome(outcome(1));
  await client.flush();
  expect(times[1]! - times[0]!).toBeGreaterThan(990);
});

it('counts what the server refuses, says why, and goes on', async () => {
  const { url, log } = await airouter();
  const client = clientOf(url);
  client.recordOutcome(outcome(1));
  client.recordOutcome(outcome(2, { duration_ms: -1 }));
  await client.flush();
  client.recordOutcome(outcome(3, { duration_ms: -1 }));
  await client.flush();
  client.recordOutcome(outcome(4));
  await client.flush();
  expect(log.eventIds(TOPICS.outcomes)).toEqual([uuid(1), uuid(4)]);
  expect(client.stats()).toMatchObject({
    outcomes: { accepted: 4, delivered: 2, dropped: { refused: 2 } },
    lastRefusal: 'duration_ms must be an integer of 0..2^31-1',
  });
});

it('I11 its memory is bounded: what is newest is dropped, and counted; nothing ever throws', async () => {
  const client = clientOf(await nobody(), { queueMax: 10 });
  const results = Array.from({ length: 15 }, (_, n) => client.recordOutcome(outcome(n)));
  expect(results.filter((result) => result === 'accepted')).toHaveLength(10);
  expect(client.recordOutcome({ ...outcome(1), duration_ms: 1n as never })).toBe('dropped');
  expect(client.recordOutcome(null as never)).toBe('dropped');
  expect(client.stats().outcomes).toMatchObject({ dropped: { queue_full: 5 }, invalid: 2 });
  await client.close({ deadlineMs: 5 });
  expect(client.recordOutcome(outcome(1))).toBe('dropped');
  expect(client.stats().outcomes).toMatchObject({
    accepted: 10,
    delivered: 0,
    queued: 0,
    queuedBytes: 0,
    dropped: { queue_full: 5, closed: 10, after_close: 1, refused: 0 },
  });
});

it('closing delivers what is held', async () => {
  const { url, log } = await airouter();
  const client = clientOf(url, { lingerMs: 60_000 });
  client.recordOutcome(outcome(1));
  await client.close();
  expect(log.eventIds(TOPICS.outcomes)).toEqual([uuid(1)]);
});

it('reports attempts in flight as gauges of one emitter, until the last one has ended', async () => {
  const { url, log } = await airouter();
  const client = clientOf(url, { gaugeIntervalMs: 5 });
  const gauges = () =>
    log.decoded(TOPICS.inflight).flatMap((it) => (it.type === 'Inflight' ? [it.value] : []));
  const attempt = client.begin('m|p||');
  client.begin('m|p||').end();
  await until(() => gauges().length > 0);
  attempt.end();
  await until(() => gauges().at(-1)?.in_flight === 0);
  const all = gauges();
  expect(all.reduce((sum, { started }) => sum + started, 0)).toBe(2);
  expect(all[0]).toMatchObject({ offering: 'm|p||', in_flight: 1 });
  expect(new Set(all.map(({ emitter }) => Buffer.from(emitter).toString('hex'))).size).toBe(1);
  await until(() => client.stats().gauges.delivered === all.length);
  expect(client.stats().gauges).toEqual({ delivered: all.length, lost: 0, untracked: 0 });
});

it('a gauge that is lost is not sent again', async () => {
  const client = clientOf(await nobody(), { gaugeIntervalMs: 2 });
  client.begin('m|p||');
  await until(() => client.stats().gauges.lost >= 2);
  expect(client.stats().gauges.delivered).toBe(0);
});

it('speaks with its key', async () => {
  const seen: (string | undefined)[] = [];
  const url = await server((request, response) => {
    seen.push(request.headers.authorization);
    request.resume().on('end', () => response.writeHead(202).end('{}'));
  });
  const client = clientOf(url, { apiKey: 'k' });
  client.recordOutcome(outcome(1));
  await client.flush();
  expect(seen).toEqual(['Bearer k']);
});
