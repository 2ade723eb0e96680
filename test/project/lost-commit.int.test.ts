import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { FaultProxy } from '../../ops/faults/fault-proxy.js';
import { createPool } from '../../src/database/connect.js';
import { foldBatch } from '../../src/fold/fold-batch.js';
import { partitionState, type StoredState } from '../../src/fold/partition-state.js';
import { createMemoryHotKeys } from '../../src/hotkeys/memory-hot-keys.js';
import { topicsOf } from '../../src/log/topics.js';
import { createProjectionStore } from '../../src/project/projection-store.js';
import { prepareProjection, projectionSchema } from '../../src/project/projection-version.js';
import { dropSchema } from '../../src/replay/shadow.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, testWorld, type WayToDatabase } from './projection.js';

/** A statement of its own, as the driver sends it. */
const COMMIT = Buffer.from('commit\0');

let database: TestDatabase;
let proxy: FaultProxy;
let through: WayToDatabase;
beforeAll(async () => {
  database = await testDatabase();
  const url = new URL(database.databaseUrl);
  proxy = await FaultProxy.open(Number(url.port || 5432));
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  const pool = createPool(url.href, {
    poolSize: 10,
    statementTimeoutMs: 60_000,
    lockTimeoutMs: 30_000,
    applicationName: 'airouter test behind a proxy',
  });
  through = { pool, databaseUrl: url.href };
});
afterAll(async () => {
  await through.pool.end();
  await proxy.close();
  await database.close();
});

it('I2 I5 a commit that nobody heard of is done, and cannot be made a second time', async () => {
  const topics = topicsOf('');
  const settings = { tickRetentionMs: 7_200_000, minuteRetentionMs: 30 * 86_400_000 };
  const schema = database.schema('projection');
  await prepareProjection(database.databaseUrl, database.pool, schema, settings, 10);
  const { pool } = through;
  const store = createProjectionStore({ pool, schema, owner: 'test', settings, topics });
  const value = outcome({ event_id: idOf(1) });
  const records = [
    { offset: 0, timestampMs: START_MS, decoded: { type: 'RequestOutcome' as const, value } },
  ];
  const commit = (partition: number, stored: StoredState) => {
    const state = partitionState(topics.outcomes, partition, 10, stored);
    const result = foldBatch(state, records, settings);
    const last = { offset: 0, hash: 'test' };
    return store.commit({ state, expected: 0, last, deadLettersFrom: 0, result });
  };
  const events = async () => {
    const { rows } = await database.pool.query<{ events: number }>(
      `select sum(events)::int as events from "${schema}".outcome_minute`,
    );
    return rows[0]!.events;
  };
  // Before it the ranges of its time are made, in transactions of their own.
  await commit(1, await store.load(topics.outcomes, 1));
  expect(await events()).toBe(1);
  const stored = await store.load(topics.outcomes, 0);

  const lost = proxy.loseReplyTo(COMMIT);
  await expect(commit(0, stored)).rejects.toMatchObject({ code: 'database_unavailable' });
  await lost;
  await expect.poll(events, { timeout: 30_000 }).toBe(2);
  await expect(commit(0, stored)).rejects.toMatchObject({ code: 'checkpoint_moved' });
  expect(await events()).toBe(2);
  expect(await store.load(topics.outcomes, 0)).toMatchObject({ offsetNext: 1 });
});

it('I2 I3 I4 a projector that hears of no commit at times counts everything once', async () => {
  const world = await testWorld(database, { partitions: 1 });
  const projection = world.projection({}, through);
  const undisturbed = world.projection();
  const projector = await projection.start();
  const ROUNDS = 12;
  for (let round = 1; round <= ROUNDS; round++) {
    const lost = proxy.loseReplyTo(COMMIT);
    const events = [outcome({ event_id: idOf(round) })];
    await appendBatch(world, 0, idOf(99), round, events, START_MS + round);
    await lost;
    await projection.caughtUp();
  }
  proxy.heal();
  await undisturbed.start();
  await undisturbed.caughtUp();
  const [books] = await projection.books();
  expect(books).toMatchObject({ read: ROUNDS, applied: ROUNDS, duplicate: 0, closed: true });
  expect(await projection.checksum()).toBe(await undisturbed.checksum());
  await projector.close();
  await world.close();
});

it.each(['starts_with(nspname', 'select name, value from'])(
  'a start that loses the answer to “%s…” says that the database is away, and the next one starts',
  async (statement) => {
    const world = await testWorld(database);
    const projection = world.projection({}, through, {
      schema: projectionSchema(world.config.namespace),
      hotKeys: createMemoryHotKeys(),
      fail: (error) => expect.unreachable(error.message),
    });
    onTestFinished(() => dropSchema(database.pool, projection.schema));
    const lost = proxy.loseReplyTo(Buffer.from(statement));
    await expect(projection.start()).rejects.toMatchObject({ code: 'database_unavailable' });
    await lost;
    await projection.start();
    await world.close();
  },
);
