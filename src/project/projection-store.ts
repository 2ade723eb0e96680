import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import type { BatchResult, FoldSettings } from '../fold/context.js';
import { INPUT_CLASS_LIMITS } from '../event/input-class.js';
import type { PartitionState } from '../fold/partition-state.js';
import { TABLE_NAMES, TABLES, type Table } from '../fold/tables.js';
import type { Topics } from '../log/topics.js';
import {
  type Checkpoint,
  type LastRecord,
  loadCheckpoint,
  moveCheckpoint,
  storeAdmitted,
  storeHighs,
} from './checkpoint.js';
import { floorsOf, storeDirtyHours, storeFloors, storeMarks, storeParked } from './commit-rows.js';
import { TimePartitions } from './time-partitions.js';
import { upsertParameters, upsertSql } from './upsert.js';

export interface Commit {
  /** The partition's state behind the batch. */
  state: PartitionState;
  /** The stored offset that the batch began at. */
  expected: number;
  last: LastRecord;
  result: BatchResult;
}

/** The projections of one version in Postgres: what a partition starts from, and its commits. */
export interface ProjectionStore {
  load(topic: string, partition: number): Promise<Checkpoint>;
  /**
   * One transaction: the checkpoint by compare-and-set, then every row of the batch. Throws
   * `checkpoint_moved` and changes nothing where another projector was faster.
   */
  commit(commit: Commit): Promise<void>;
}

export interface ProjectionStoreOptions {
  pool: Pool;
  schema: string;
  /** Who commits; informs only. */
  owner: string;
  settings: FoldSettings;
  topics: Topics;
}

export function createProjectionStore(options: ProjectionStoreOptions): ProjectionStore {
  const { pool, schema } = options;
  const timePartitions = new TimePartitions(schema);
  const statements = new Map(
    TABLE_NAMES.map((name) => [
      name,
      { name: `${schema}.${name}`.slice(-63), text: upsertSql(schema, TABLES[name]) },
    ]),
  );

  const tablesOf = (topic: string): Table[] =>
    Object.values(TABLES).filter((table: Table) => options.topics[table.source] === topic);

  async function upsertRows(client: PoolClient, result: BatchResult): Promise<void> {
    for (const name of TABLE_NAMES) {
      const rows = result.delta.rows[name];
      if (rows.size === 0) continue;
      const values = upsertParameters(TABLES[name], rows);
      await client.query({ ...statements.get(name)!, values });
    }
  }

  return {
    load: (topic, partition) =>
      withTransaction(pool, 'repeatable read', (client) =>
        loadCheckpoint(client, schema, topic, partition),
      ),

    async commit({ state, expected, last, result }) {
      const missing = timePartitions.missing(result.delta);
      await timePartitions.create(pool, missing);
      const { topic, partition } = state;
      const floors = floorsOf(tablesOf(topic), state.highestRecordMs ?? 0, options.settings);
      const counters = state.limit.counters();
      await withTransaction(pool, 'read committed', async (client) => {
        await moveCheckpoint(client, schema, {
          topic,
          partition,
          expected,
          offsetNext: state.offsetNext,
          last,
          windowOffset: state.recent.oldestOffset(),
          highestRecordMs: state.highestRecordMs,
          records: counters.records,
          undecodableRun: counters.run,
          undecodableRecent: counters.recent,
          owner: options.owner,
        });
        await upsertRows(client, result);
        await storeHighs(client, schema, topic, partition, state.highs.takeChanged());
        await storeAdmitted(
          client,
          schema,
          topic,
          partition,
          state.admission.takeAdmitted(),
          state.admission.oldestDayKept(),
        );
        await storeParked(client, schema, topic, partition, result.parked);
        await storeDirtyHours(client, schema, partition, result.dirtyHours);
        await storeFloors(client, schema, topic, partition, floors);
        await storeMarks(client, schema, topic, partition, state.offsetNext, result.marks);
      });
    },
  };
}

/** Settings that other rows would follow from: a projection version keeps the ones it began with. */
export function foldIdentity(settings: FoldSettings, keysMax: number): Record<string, string> {
  return {
    tick_retention_ms: String(settings.tickRetentionMs),
    minute_retention_ms: String(settings.minuteRetentionMs),
    keys_max: String(keysMax),
    input_class_limits: INPUT_CLASS_LIMITS.join(','),
  };
}
