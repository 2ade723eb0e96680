import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createPool } from '../../src/database/connect.js';
import { type TestDatabase, testDatabase } from '../postgres.js';

const NAME = 'airouter pool limits test';
const LIMITS = { poolSize: 2, poolOverflow: 3, statementTimeoutMs: 20_000, lockTimeoutMs: 5_000 };

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
afterEach(() => vi.useRealTimers());

/** Connections of the pool as the server counts them. */
async function connections(): Promise<number> {
  const { rows } = await database.pool.query<{ n: number }>(
    'select count(*) as n from pg_stat_activity where application_name = $1',
    [NAME],
  );
  return rows[0]!.n;
}

test('a pool takes its size and its overflow, no more, and keeps its size when it idles (I11)', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const pool = createPool(database.databaseUrl, { ...LIMITS, applicationName: NAME });
  const holders = await Promise.all(Array.from({ length: 5 }, () => pool.connect()));
  let isServed = false;
  const sixth = pool.connect().then((client) => {
    isServed = true;
    return client;
  });
  expect([await connections(), pool.waitingCount, isServed]).toEqual([5, 1, false]);
  for (const holder of holders) holder.release();
  (await sixth).release();
  expect(await connections()).toBe(5);

  vi.advanceTimersByTime(30_000);
  vi.useRealTimers();
  await vi.waitFor(async () => expect(await connections()).toBe(2), 60_000);
  await pool.end();
});

test('who waits for a connection for too long is told to try again (I11)', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const pool = createPool(database.databaseUrl, { ...LIMITS, applicationName: NAME });
  const holders = await Promise.all(Array.from({ length: 5 }, () => pool.connect()));
  const waiting = expect(pool.query('select 1')).rejects.toThrow(/timeout exceeded/);
  vi.advanceTimersByTime(5_000);
  await waiting;
  for (const holder of holders) holder.release();
  await pool.end();
});
