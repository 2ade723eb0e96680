import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type FoldRecord, foldBatch } from '../../src/fold/fold-batch.js';
import { partitionState } from '../../src/fold/partition-state.js';
import { topicsOf } from '../../src/log/topics.js';
import { createProjectionStore } from '../../src/project/projection-store.js';
import { prepareProjection } from '../../src/project/projection-version.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';

const topics = topicsOf('');
const settings = { tickRetentionMs: 7_200_000, minuteRetentionMs: 30 * 86_400_000 };
const WAIT = { timeout: 60_000, interval: 20 };

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

it('I4 a session that is ended in the middle of an upsert leaves nothing, and the commit is made again', async () => {
  const { pool, databaseUrl } = database;
  const schema = database.schema('projection');
  await prepareProjection(databaseUrl, pool, schema, settings, 10);
  const store = createProjectionStore({ pool, schema, owner: 'test', settings, topics });
  const record: FoldRecord = {
    offset: 0,
    timestampMs: START_MS,
    decoded: { type: 'RequestOutcome', value: outcome({ event_id: idOf(1) }) },
  };
  const commit = async (): Promise<void> => {
    const state = partitionState(topics.outcomes, 0, 10, await store.load(topics.outcomes, 0));
    const result = foldBatch(state, [record], settings);
    const last = { offset: 0, hash: 'test' };
    await store.commit({ state, expected: 0, last, deadLettersFrom: 0, result });
  };
  const count = async (table: string): Promise<number> => {
    const { rows } = await pool.query(`select count(*)::int as n from "${schema}".${table}`);
    return rows[0].n;
  };
  const locker = await pool.connect();
  try {
    await locker.query(`begin; lock table "${schema}".outcome_minute in share mode`);
    const committing = commit();
    committing.catch(() => {});
    await vi.waitFor(async () => {
      // Only a session that waits for that lock: others work on this server too.
      const { rows } = await pool.query(
        `select pg_terminate_backend(pid) from pg_locks
         where not granted and relation = '"${schema}".outcome_minute'::regclass`,
      );
      expect(rows).toHaveLength(1);
    }, WAIT);
    await expect(committing).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(await count('usage_minute')).toBe(0);
  } finally {
    await locker.query('rollback');
    locker.release();
  }
  await commit();
  expect([await count('outcome_minute'), await count('usage_minute')]).toEqual([1, 1]);
});
