import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createPool } from '../../src/database/connect.js';
import { migrate } from '../../src/database/migrate.js';
import { createEmbeddedLog } from '../../src/log/embedded-log.js';
import type { PartitionReport } from '../../src/log/partition-report.js';
import type { ConsumerHandlers } from '../../src/log/port.js';
import { packageRoot } from '../../src/package-root.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import {
  type LogHandle,
  logContract,
  newTopic,
  readAll,
  text,
  useLogs,
  valueText,
} from './contract.js';

let database: TestDatabase;
let schema: string;
const reports: PartitionReport[] = [];

beforeAll(async () => {
  database = await testDatabase();
  schema = database.schema('log');
  await migrate(database.databaseUrl, {
    schema,
    folder: join(packageRoot, 'schemas/postgres/log'),
  });
});
afterAll(() => database.close());

/** A pool of its own, as a process has. */
async function makeLog(): Promise<LogHandle> {
  const pool = createPool(database.databaseUrl, {
    poolSize: 5,
    statementTimeoutMs: 20_000,
    lockTimeoutMs: 20_000,
    applicationName: 'airouter log test',
  });
  const log = createEmbeddedLog({ pool, schema, report: (report) => reports.push(report) });
  let isKilled = false;
  return {
    log,
    async close() {
      await log.close();
      if (!isKilled) await pool.end();
    },
    async kill() {
      isKilled = true;
      await pool.end(); // From here on nothing of it reaches the database.
    },
  };
}

logContract('embedded log', makeLog);

describe('embedded log', () => {
  const logs = useLogs(makeLog);

  /** How often the members of a group were seen to beat, since the first call for it. */
  const seen = new Map<string, Set<string>>();
  async function beats(group: string): Promise<number> {
    const { rows } = await database.pool.query<{ beat: string }>(
      `select member_id || ' ' || seen_at as beat from "${schema}".log_member where group_id = $1`,
      [group],
    );
    const known = seen.get(group) ?? new Set();
    seen.set(group, known);
    for (const { beat } of rows) known.add(beat);
    return known.size;
  }

  /** Holds the partition as an append does that has not committed yet. */
  async function stalledAppend(pool: Pool, topic: string) {
    const client = await pool.connect();
    await client.query('begin');
    await client.query(
      `with taken as (
         update "${schema}".log_partition as p set next_offset = next_offset + 1
           from "${schema}".log_topic as t
          where p.topic_id = t.topic_id and t.topic = $1 and partition = 0
         returning p.topic_id, next_offset - 1 as first_offset)
       insert into "${schema}".log_record (topic_id, partition, "offset", timestamp_ms, value)
       select topic_id, 0, first_offset, 1, 'stalled' from taken`,
      [topic],
    );
    return async (): Promise<void> => {
      await client.query('commit');
      client.release();
    };
  }

  it('shows no record above one that is not committed yet (I1)', async () => {
    const { log, topic } = await logs.openTopic(1);
    await log.append(topic, 0, [text('first')]);
    const commit = await stalledAppend(database.pool, topic);
    let isAppended = false;
    const behind = log.append(topic, 0, [text('behind')]).then((offset) => {
      isAppended = true;
      return offset;
    });
    await vi.waitUntil(async () => {
      const { rows } = await database.pool.query(
        `select 1 from pg_stat_activity
          where application_name = 'airouter log test' and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    }, 60_000);
    expect((await readAll(log, topic, 0)).map(valueText)).toEqual(['first']);
    expect(await log.bounds(topic, 0)).toEqual({ start: 0, end: 1 });
    expect(isAppended).toBe(false);
    await commit();
    expect(await behind).toBe(2);
    expect((await readAll(log, topic, 0)).map(valueText)).toEqual(['first', 'stalled', 'behind']);
  });

  it('gives times that never run back, also where the clock does', async () => {
    const { log, topic } = await logs.openTopic(1);
    const future = Date.now() + 3_600_000;
    await database.pool.query(
      `update "${schema}".log_partition set last_timestamp_ms = $2
        where topic_id = (select topic_id from "${schema}".log_topic where topic = $1)`,
      [topic, future],
    );
    await log.append(topic, 0, [text('a')]);
    await log.append(topic, 0, [text('b')]);
    expect((await readAll(log, topic, 0)).map((record) => record.timestampMs)).toEqual([
      future,
      future,
    ]);
  });

  it('says log_truncated where the log starts above what is asked for', async () => {
    const { log, topic } = await logs.openTopic(1);
    await log.append(topic, 0, ['a', 'b', 'c'].map(text));
    await database.pool.query(
      `update "${schema}".log_partition set start_offset = 2
        where topic_id = (select topic_id from "${schema}".log_topic where topic = $1)`,
      [topic],
    );
    await expect(log.read(topic, 0, 1, 1000)).rejects.toMatchObject({ code: 'log_truncated' });
    expect((await readAll(log, topic, 0, 2)).map(valueText)).toEqual(['c']);
  });

  it('refuses topics and partitions that do not exist', async () => {
    const { log, topic } = await logs.openTopic(2);
    const wrong = { code: 'invalid_usage' };
    await expect(log.append(newTopic(), 0, [text('a')])).rejects.toMatchObject(wrong);
    await expect(log.append(topic, 2, [text('a')])).rejects.toMatchObject(wrong);
    await expect(log.read(topic, -1, 0, 1)).rejects.toMatchObject(wrong);
    await expect(log.bounds(topic, 0.5)).rejects.toMatchObject(wrong);
    const consumer = log.consumer('group', [topic, newTopic()]);
    const handlers = { assigned: async () => 0, batch: async () => 0, revoked: () => {} };
    await expect(consumer.start(handlers)).rejects.toMatchObject(wrong);
  });

  it('starts no partition while the batch of its former member is in flight', async () => {
    const { log, topic } = await logs.openTopic(2);
    const other = await logs.open();
    const events: string[] = [];
    let finish = (): void => {};
    const gate = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const handlers = (name: string): ConsumerHandlers => ({
      assigned: async ({ partition }) => {
        events.push(`${name} assigned ${partition}`);
        return 0;
      },
      batch: async ({ partition, records }) => {
        if (name === 'old') await gate;
        events.push(`${name} did ${partition}`);
        return records.at(-1)!.offset + 1;
      },
      revoked: () => events.push(`${name} revoked`),
    });
    for (const partition of [0, 1]) await log.append(topic, partition, [text('a')]);
    await log.consumer(topic, [topic]).start(handlers('old'));
    const newer = other.log.consumer(topic, [topic]);
    await newer.start(handlers('new'));
    // The older one has learned of the newer one when it has begun to give a partition up; then
    // the newer one has all the time of a second beat.
    await vi.waitUntil(async () => (await beats(topic)) >= 6, 60_000);
    expect(events).toEqual(['old assigned 0', 'old assigned 1']);
    finish();
    await vi.waitFor(() => expect(events.at(-1)).toMatch(/new did/), 60_000);
    expect(events.indexOf('old revoked')).toBeLessThan(
      events.findIndex((event) => event.startsWith('new assigned')),
    );
  });

  it('reports a partition that stops', async () => {
    const { log, topic } = await logs.openTopic(1);
    await log.append(topic, 0, [text('a')]);
    const error = new TypeError('a defect');
    await log.consumer(topic, [topic]).start({
      assigned: async () => 0,
      batch: () => Promise.reject(error),
      revoked: () => {},
    });
    const stopped = { kind: 'stopped', partition: { topic, partition: 0 }, error };
    await vi.waitFor(() => expect(reports).toContainEqual(stopped), 60_000);
  });

  it('goes on after all its connections broke (I1)', async () => {
    const { log, topic } = await logs.openTopic(1);
    const values: string[] = [];
    let offset = 0;
    await log.consumer(topic, [topic]).start({
      assigned: async () => offset,
      batch: async ({ records }) => {
        values.push(...records.map(valueText));
        offset = records.at(-1)!.offset + 1;
        return offset;
      },
      revoked: () => {},
    });
    await log.append(topic, 0, [text('before')]);
    await vi.waitFor(() => expect(values).toEqual(['before']), 60_000);
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'airouter log test'`,
    );
    await vi.waitFor(() => log.append(topic, 0, [text('after')]), 60_000);
    await vi.waitFor(() => expect(values.at(-1)).toBe('after'), 60_000);
  });

  it('appends to a topic that was made anew', async () => {
    const { log, topic } = await logs.openTopic(1);
    await log.append(topic, 0, ['old', 'older'].map(text));
    await database.pool.query(`delete from "${schema}".log_topic where topic = $1`, [topic]);
    await expect(log.append(topic, 0, [text('lost')])).rejects.toMatchObject({
      code: 'invalid_usage',
    });
    await log.createTopics([{ topic, partitions: 1, timestampType: 'LogAppendTime' }]);
    expect(await log.append(topic, 0, [text('new')])).toBe(0);
    expect((await readAll(log, topic, 0)).map(valueText)).toEqual(['new']);
  });
});
