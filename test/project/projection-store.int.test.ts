import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FoldRecord, foldBatch } from '../../src/fold/fold-batch.js';
import { partitionState } from '../../src/fold/partition-state.js';
import { topicsOf } from '../../src/log/topics.js';
import { createProjectionStore } from '../../src/project/projection-store.js';
import { prepareProjection } from '../../src/project/projection-version.js';
import { projectionChecksum } from '../../src/replay/checksum.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';

const topics = topicsOf('');
const settings = { tickRetentionMs: 7_200_000, minuteRetentionMs: 30 * 86_400_000 };

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const record = (offset: number): FoldRecord => ({
  offset,
  timestampMs: START_MS,
  decoded: { type: 'RequestOutcome', value: outcome({ event_id: idOf(offset + 1) }) },
});

async function openStore(schema: string) {
  const { pool } = database;
  const store = createProjectionStore({ pool, schema, owner: 'test', settings, topics });
  const checkpoint = await store.load(topics.outcomes, 0);
  const state = partitionState(topics.outcomes, 0, 10, checkpoint);
  return {
    fold(...records: FoldRecord[]) {
      const expected = state.offsetNext;
      const result = foldBatch(state, records, settings);
      const last = { offset: state.offsetNext - 1, hash: 'test' };
      return store.commit({ state, expected, last, deadLettersFrom: 0, result });
    },
  };
}

it('I5 a zombie that commits a prefix again changes no row', async () => {
  const schema = database.schema('projection');
  await prepareProjection(database.databaseUrl, database.pool, schema, settings, 10);
  const owner = await openStore(schema);
  const early = await openStore(schema);
  await owner.fold(record(0));
  // It admits no key any more: its commits are one statement.
  const late = await openStore(schema);
  await owner.fold(record(1));
  const before = await projectionChecksum(database.pool, schema, topics);
  await expect(early.fold(record(0))).rejects.toMatchObject({ code: 'checkpoint_moved' });
  await expect(late.fold(record(1))).rejects.toMatchObject({ code: 'checkpoint_moved' });
  expect(await projectionChecksum(database.pool, schema, topics)).toBe(before);
  await owner.fold(record(2));
  const rows = await database.pool.query(
    `select sum(events)::int as n from "${schema}".outcome_minute`,
  );
  expect(rows.rows[0].n).toBe(3);
});

it.each([
  ['of the rows', 'hot_mark', 'offset_next'],
  ['beside the rows', 'parked', 'record_offset'],
])(
  'I4 a commit of which a table %s fails leaves neither rows nor offset',
  async (_, table, column) => {
    const schema = database.schema('projection');
    await prepareProjection(database.databaseUrl, database.pool, schema, settings, 10);
    const owner = await openStore(schema);
    const broken = outcome({ event_id: idOf(9), model: '' });
    const parked: FoldRecord = { ...record(1), decoded: { type: 'RequestOutcome', value: broken } };
    await database.pool.query(`alter table "${schema}".${table} add check (${column} < 0)`);
    await expect(owner.fold(record(0), parked)).rejects.toThrow();
    const count = async (): Promise<number> => {
      const text = `select sum(events)::int as n from "${schema}".outcome_minute`;
      return (await database.pool.query(text)).rows[0].n ?? 0;
    };
    expect(await count()).toBe(0);
    const again = await openStore(schema);
    const constraint = `${table}_${column}_check`;
    await database.pool.query(`alter table "${schema}".${table} drop constraint ${constraint}`);
    await again.fold(record(0), parked);
    expect(await count()).toBe(1);
  },
);

it('I2 I4 a new owner knows a parked event as parked while nothing else is in the window', async () => {
  const schema = database.schema('projection');
  const { databaseUrl, pool } = database;
  await prepareProjection(databaseUrl, pool, schema, settings, 10);
  const owner = await openStore(schema);
  const broken = outcome({ event_id: idOf(1), model: '' });
  await owner.fold({ ...record(0), decoded: { type: 'RequestOutcome', value: broken } });
  const store = createProjectionStore({ pool, schema, owner: 'test', settings, topics });
  const checkpoint = await store.load(topics.outcomes, 0);
  // Reading begins at the last record, to compare it: its event must not enter the window.
  expect(checkpoint).toMatchObject({ windowOffset: null, last: { offset: 0 } });
  expect([...(await store.parked(topics.outcomes, 0, 0, 0))]).toEqual(['0/0']);
  expect([...(await store.parked(topics.outcomes, 0, 1, 9))]).toEqual([]);
});

it('keeps a projection to the settings that it began with', async () => {
  const schema = database.schema('projection');
  const { databaseUrl, pool } = database;
  await prepareProjection(databaseUrl, pool, schema, settings, 10);
  await prepareProjection(databaseUrl, pool, schema, settings, 10);
  await expect(prepareProjection(databaseUrl, pool, schema, settings, 11)).rejects.toMatchObject({
    code: 'invalid_setting',
    field: 'AIROUTER_KEYS_MAX',
  });
});
