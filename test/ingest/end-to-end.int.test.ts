import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { builtInCatalogue } from '../../src/catalogue/built-in.js';
import { importCatalogue } from '../../src/catalogue/import.js';
import { AiRouterClient } from '../../src/client/client.js';
import { wallClock } from '../../src/clock.js';
import { decode } from '../../src/event/decode.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { createDecisionLog } from '../../src/roles/decision-log.js';
import { openIngest, startIngest } from '../../src/roles/ingest.js';
import { startRouter } from '../../src/roles/route.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { type TestWorld, testWorld } from '../project/projection.js';
import { item, uuid } from './ingest-app.js';

let database: TestDatabase;
let world: TestWorld;
beforeAll(async () => {
  database = await testDatabase();
  world = await testWorld(database);
});
afterAll(async () => {
  await world.close();
  await database.close();
});

const logger = pino({ level: 'silent' });
const metrics = createMetrics();

async function countsOf(schema: string, sql: string): Promise<Record<string, unknown>> {
  const { rows } = await database.pool.query(sql.replaceAll('$schema', `"${schema}"`));
  return rows[0];
}

it('I1 I2 what is posted is folded once and seen by whoever asks the router', async () => {
  const { log, topics } = world;
  const config = { ...world.config, port: 0, pollIntervalMs: 10 };
  const common = { config, clock: wallClock, logger, metrics };
  const model = 'gpt-4o';
  const entries = builtInCatalogue().entries.filter((it) => JSON.stringify(it).includes(model));
  await importCatalogue({ log, topic: topics.catalogue }, entries, 'built-in');
  const projection = world.projection();
  const projector = await projection.start();
  const ingest = await openIngest({ ...common, log, topics });
  const target = ingest.decisions;
  const decisions = createDecisionLog({ target, share: 1, metrics, logger });
  const router = await startRouter({
    ...common,
    hotKeys: projection.hotKeys,
    register: ingest.register,
    onDecision: decisions.record,
  });
  const url = `http://127.0.0.1:${router.port}`;
  const post = (path: string, body: object) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const now = Date.now();
  const fields = { model, occurred_at: now, operation: 'chat' };
  const outcomes = Array.from({ length: 60 }, (_, n) => item(n, fields));
  const summary = { id: uuid(1), occurred_at: now, model, provider: 'openai', total_requests: 9 };
  const answers = await Promise.all([
    post('/v1/outcomes', { outcomes, summaries: [summary] }),
    post('/v1/outcomes', { outcomes: outcomes.slice(30) }),
    post('/v1/outcomes', { outcomes: [item(99, { ...fields, http_status: 500 })] }),
    post('/v1/inflight', {
      inflight: [{ emitter: uuid(7), offering: `${model}|openai||`, tick: 1, in_flight: 3 }],
    }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  await projection.caughtUp();
  const counted = `select sum(events)::int as events, sum(success)::int as success from $schema.outcome_minute`;
  expect(await countsOf(projection.schema, counted)).toEqual({ events: 61, success: 60 });
  const books = await projection.books();
  expect(books.every(({ closed }) => closed)).toBe(true);
  expect(books.reduce((sum, { duplicate }) => sum + duplicate, 0)).toBe(30);
  const summaries = `select sum(total_requests)::int as total from $schema.summary_minute`;
  expect(await countsOf(projection.schema, summaries)).toEqual({ total: 9 });
  const gauges = `select sum(in_flight)::int as gauges from $schema.inflight_tick`;
  expect(await countsOf(projection.schema, gauges)).toEqual({ gauges: 3 });

  interface Endpoint {
    offering: string;
    uptime_last_30m: number | null;
  }
  for (;;) {
    const page = await (await fetch(`${url}/v1/models/${model}/endpoints`)).json();
    const endpoints = (page as { data?: { endpoints: Endpoint[] } }).data?.endpoints ?? [];
    const own = endpoints.find(({ offering }) => offering === `${model}|openai||`);
    // The hot keys may have been written between two commits: what counts is where they end.
    if (Math.abs((own?.uptime_last_30m ?? 0) - 60 / 61) < 0.000_5) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }

  const client = new AiRouterClient({ url, fallback: {}, timeoutMs: 60_000 });
  const answer = await client.route({ model });
  await router.close();
  await decisions.close({ deadlineMs: 60_000 });
  const logged: unknown[] = [];
  for (let partition = 0; partition < 3; partition++) {
    const { records } = await log.read(topics.decisions, partition, 0, 1_000_000);
    for (const { key, value, headers } of records) {
      expect(decode(value, headers)).toMatchObject({ type: 'Decision' });
      logged.push(key?.toString());
    }
  }
  expect(logged).toEqual([answer.decision_id]);
  await client.close();
  await ingest.close({ deadlineMs: 60_000 });
  await projector.close();
});

it('I1 a client delivers to an ingest role of its own, through callers of many at once', async () => {
  const { log, topics } = world;
  const config = { ...world.config, port: 0 };
  const before = await endsOf();
  const ingest = await startIngest({ config, clock: wallClock, logger, metrics, log, topics });
  const url = `http://127.0.0.1:${ingest.port}`;
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  const clients = Array.from({ length: 4 }, () => {
    const client = new AiRouterClient({ url, fallback: {}, timeoutMs: 60_000, lingerMs: 1 });
    for (let n = 0; n < 500; n++) {
      const fields = { model: `m${n % 9}`, provider: 'p', duration_ms: n };
      client.recordOutcome({ ...fields, request_id: randomBytes(4).toString('hex') });
    }
    return client;
  });
  await Promise.all(clients.map((client) => client.flush()));
  for (const client of clients) {
    expect(client.stats().outcomes).toMatchObject({ delivered: 500, failures: 0 });
    await client.close();
  }
  await ingest.close();
  expect((await endsOf()).events - before.events).toBe(2_000);

  async function endsOf(): Promise<{ events: number }> {
    let events = 0;
    for (let partition = 0; partition < 3; partition++) {
      const { records } = await log.read(topics.outcomes, partition, 0, 10_000_000);
      for (const { value, headers } of records) {
        const decoded = decode(value, headers);
        if (!('failed' in decoded) && decoded.type === 'OutcomeBatch') {
          events += decoded.value.outcomes.length;
        }
      }
    }
    return { events };
  }
});
