import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { dropSchema } from '../../src/replay/shadow.js';
import { deadlocks, isAnyoneWaiting } from '../locks.js';
import { type TestDatabase, testDatabase } from '../postgres.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

it('a schema is dropped although its first try is ended by a deadlock', async () => {
  const schema = database.schema('retired');
  await database.pool.query(`create schema "${schema}"`);
  const tables = ['first', 'second', 'third'].map((name) => `"${schema}".${name}`);
  for (const table of tables) await database.pool.query(`create table ${table} ()`);
  const reader = await database.pool.connect();
  onTestFinished(() => reader.release());
  // The reader never gives way, so it is the drop that is ended.
  await reader.query(`begin; set local deadlock_timeout = '1h'`);
  const before = await deadlocks(database.pool);
  await reader.query(`select from ${tables[1]!}`);
  const dropped = dropSchema(database.pool, schema);
  await vi.waitUntil(() => isAnyoneWaiting(database.pool), { timeout: 20_000, interval: 5 });
  for (const table of tables) await reader.query(`select from ${table}`);
  await vi.waitUntil(async () => (await deadlocks(database.pool)) > before, { timeout: 20_000 });
  await reader.query('commit');
  await dropped;
  const { rows } = await database.pool.query('select from pg_namespace where nspname = $1', [
    schema,
  ]);
  expect(rows).toEqual([]);
});
