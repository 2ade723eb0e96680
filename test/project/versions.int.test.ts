import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { createPool } from '../../src/database/connect.js';
import type { AiRouterError } from '../../src/errors.js';
import { createMemoryHotKeys } from '../../src/hotkeys/memory-hot-keys.js';
import { foldedTopics } from '../../src/log/topics.js';
import { createHotSource } from '../../src/project/hot-source.js';
import { prepareProjection, projectionSchema } from '../../src/project/projection-version.js';
import { putInForce, storedVersions, versionInForce } from '../../src/project/versions.js';
import { endVersionsBelow } from '../../src/replay/end-versions.js';
import { rebuild } from '../../src/replay/rebuild.js';
import { dropSchema } from '../../src/replay/shadow.js';
import { foldSettingsOf } from '../../src/roles/project.js';
import { foldedSchemas } from '../../src/roles/schemas.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import {
  appendBatch,
  type TestProjection,
  type TestWorld,
  testWorld,
  type WayToDatabase,
} from './projection.js';

const WAIT = { timeout: 30_000, interval: 20 };

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

/** Versions of one namespace, that share one store of hot keys. */
let world: TestWorld;
let hotKeys: ReturnType<typeof createMemoryHotKeys>;
let failures: AiRouterError[];
let appended: number;
beforeEach(async () => {
  world = await testWorld(database);
  hotKeys = createMemoryHotKeys();
  failures = [];
  appended = 0;
});
afterEach(async () => {
  await world.close();
  for (const version of [1, 2, 3]) await dropSchema(database.pool, schemaOf(version));
});

const schemaOf = (version: number): string => projectionSchema(world.config.namespace, version);

const version = (number: number, way: WayToDatabase = database): TestProjection =>
  world.projection({}, way, {
    schema: schemaOf(number),
    hotKeys,
    fail: (error) => failures.push(error),
  });

async function append(): Promise<void> {
  appended += 1;
  const outcomes = [outcome({ event_id: idOf(100 + appended) })];
  await appendBatch(world, 0, idOf(1), appended, outcomes, START_MS + appended);
}

const schemasOf = async (stem: string): Promise<string[]> => {
  const found = await database.pool.query<{ nspname: string }>(
    'select nspname from pg_namespace where starts_with(nspname, $1)',
    [stem],
  );
  return found.rows.map(({ nspname }) => nspname);
};

const inForce = async (): Promise<number | undefined> =>
  versionInForce(await storedVersions(database.pool, schemaOf(1)))?.version;

/** The schema that readers are pointed at. */
async function isReading(of: TestProjection): Promise<boolean> {
  const source = createHotSource(database.pool, of.schema, 1, foldedTopics(world.topics));
  return (await hotKeys.generation()) === (await source.generation());
}

it('readers stay with the version in force until the next one has folded what that has', async () => {
  await append();
  const { databaseUrl, pool } = database;
  // Those that wait for the lock are not to take the connections of the others, as in one process.
  const held = createPool(databaseUrl, {
    poolSize: 10,
    statementTimeoutMs: 60_000,
    lockTimeoutMs: 30_000,
    applicationName: 'airouter test, held up',
  });
  onTestFinished(() => held.end());
  const [first, second] = [version(1), version(2, { databaseUrl, pool: held })];
  await first.start();
  await first.caughtUp();
  await vi.waitUntil(() => isReading(first), WAIT);
  expect(await inForce()).toBe(1);
  // It stands, and has folded nothing: its projector is held up by a lock on its checkpoints.
  const settings = foldSettingsOf(world.config);
  await prepareProjection(databaseUrl, pool, second.schema, settings, world.config.keysMax);
  const holder = await pool.connect();
  await holder.query(`begin; lock table "${second.schema}".projection_checkpoint in share mode`);
  const starting = second.start();
  try {
    await vi.waitUntil(async () => (await hotKeys.read(null)) !== null, WAIT);
    const before = (await hotKeys.read(null))!.state.revision;
    await append();
    await first.caughtUp();
    const isWritten = async () => ((await hotKeys.read(null))?.state.revision ?? 0) > before;
    await vi.waitUntil(isWritten, WAIT);
    expect(await inForce()).toBe(1);
    expect(await isReading(first)).toBe(true);
  } finally {
    // Whatever was found: who waits for the lock could not be closed.
    await holder.query('rollback');
    holder.release();
  }
  await starting;
  await second.caughtUp();
  await vi.waitUntil(() => isReading(second), WAIT);
  expect(await inForce()).toBe(2);
  expect(await second.checksum()).toBe(await first.checksum());
});

it('under load the next version takes over where the other one stood a round before', async () => {
  await append();
  const [first, second] = [version(1), version(2)];
  await first.start();
  let isWriting = true;
  const writing = (async () => {
    while (isWriting) await append();
  })();
  await second.start();
  await vi.waitUntil(() => isReading(second), WAIT);
  isWriting = false;
  await writing;
  await Promise.all([first.caughtUp(), second.caughtUp()]);
  const [books] = await second.books();
  expect(books).toMatchObject({ closed: true, applied: appended });
  expect(await second.checksum()).toBe(await first.checksum());
});

it('who goes back to the older version has the say: the newer one does not take over again', async () => {
  await append();
  const [first, second] = [version(1), version(2)];
  await first.start();
  await second.start();
  await vi.waitUntil(() => isReading(second), WAIT);
  expect(await putInForce(database.pool, first.schema)).toBe(true);
  expect(await putInForce(database.pool, first.schema)).toBe(false);
  await vi.waitUntil(() => isReading(first), WAIT);
  // More than one round of either.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect(await isReading(first)).toBe(true);
  await putInForce(database.pool, second.schema);
  await vi.waitUntil(() => isReading(second), WAIT);
});

it('a projector of a version that was ended ends, and is not begun anew', async () => {
  await append();
  const [first, second] = [version(1), version(2)];
  await first.start();
  await second.start();
  await vi.waitUntil(() => isReading(second), WAIT);
  expect(failures).toEqual([]);
  const versions = await storedVersions(database.pool, first.schema);
  // Left by a call that was killed.
  await database.pool.query(`create schema "${first.schema}_retired"`);
  const ended = await endVersionsBelow(database.pool, versions, versionInForce(versions)!);
  expect(ended).toEqual([1]);
  expect(await schemasOf(first.schema)).toEqual([]);
  await vi.waitUntil(() => failures.length > 0, WAIT);
  expect(failures[0]).toMatchObject({
    code: 'schema_newer',
    message: expect.stringContaining('version 2 is in force'),
  });
  await expect(version(1).start()).rejects.toMatchObject({ code: 'schema_newer' });
  await append();
  await second.caughtUp();
  expect(await isReading(second)).toBe(true);
});

it('a rebuild keeps its version in force', async () => {
  await append();
  const [first, second] = [version(1), version(2)];
  await first.start();
  await second.start();
  await vi.waitUntil(() => isReading(second), WAIT);
  const { log, topics, config } = world;
  const result = await rebuild({
    databaseUrl: database.databaseUrl,
    pool: database.pool,
    schema: second.schema,
    log,
    topics,
    ...(await foldedSchemas({ log, topics }, config)),
    settings: { ...foldSettingsOf(config), keysMax: config.keysMax },
    swap: 'where equal',
    onStep: () => {},
    onProgress: () => {},
  });
  expect(result).toMatchObject({ equal: true, swapped: true });
  expect(await inForce()).toBe(2);
  await vi.waitUntil(() => isReading(second), WAIT);
});

it('versions of another namespace, and what a rebuild leaves, are no versions', async () => {
  const first = version(1);
  const { pool } = database;
  await first.start();
  for (const name of [`${first.schema}_shadow`, `x_${first.schema}`, `${first.schema}x`]) {
    await pool.query(`create schema "${name}"`);
    await pool.query(`create table "${name}".projection_setting (name text, value text)`);
  }
  expect(await storedVersions(pool, first.schema)).toEqual([
    { version: 1, schema: first.schema, turn: null },
  ]);
  for (const name of [`${first.schema}_shadow`, `x_${first.schema}`, `${first.schema}x`]) {
    await dropSchema(pool, name);
  }
});
