import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool, PoolClient } from 'pg';
import { createPool, withTransaction } from '../src/database/connect.js';
import { startEmbeddedPostgres } from '../src/database/embedded-postgres.js';
import type { BatchResult } from '../src/fold/context.js';
import { type FoldRecord, foldBatch } from '../src/fold/fold-batch.js';
import { NEW_STATE, type PartitionState, partitionState } from '../src/fold/partition-state.js';
import { TABLE_NAMES, TABLES, type TableName } from '../src/fold/tables.js';
import { topicsOf } from '../src/log/topics.js';
import { createProjectionStore } from '../src/project/projection-store.js';
import { prepareProjection } from '../src/project/projection-version.js';
import { TimePartitions } from '../src/project/time-partitions.js';
import { upsertParameters, upsertSql } from '../src/project/upsert.js';
import { projectionChecksum } from '../src/replay/checksum.js';
import { type Bench, type Contender, type Contest, expectSame, type Size } from './contest.js';
import { fetchesOf, RECORDS_A_FETCH, SETTINGS } from './fold.js';
import { EVENTS_A_BATCH, outcomes } from './traffic.js';

/** From a folded fetch to its commit: rows, checkpoint, highs, marks. The fold is not counted. */
export const projectBench: Bench = {
  name: 'project',
  unit: 'events per CPU second of this process and its Postgres backend',
  floorIs: 'the upserts alone, their parameters made before: begin, a statement a table, commit',
  peerIs: 'a prepared upsert for each row, in one transaction',
  open,
};

const TOPICS = topicsOf('');
const EVENTS_A_COMMIT = RECORDS_A_FETCH * EVENTS_A_BATCH;
const COMMITS_A_ROUND = { full: 4, smoke: 1 };

/** Commits the next fetch; answers what its CPU seconds were. */
type Committer = (records: readonly FoldRecord[], from: number) => Promise<number>;

async function open(size: Size): Promise<Contest> {
  const dataDir = await mkdtemp(join(tmpdir(), 'airouter-bench-'));
  const server = await startEmbeddedPostgres({ dataDir });
  const pools: Pool[] = [];
  const close = async (): Promise<void> => {
    for (const pool of pools) await pool.end();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  const world = async (schema: string): Promise<World> => {
    const pool = createPool(server.databaseUrl, POOL);
    pools.push(pool);
    await prepareProjection(server.databaseUrl, pool, schema, SETTINGS, 10_000);
    return { pool, schema, cpu: await cpuOf(pool) };
  };
  try {
    const ours = storeCommitter(await world('ours'));
    const floor = upsertCommitter(await world('floor'), parametersOfTables);
    const peer = upsertCommitter(await world('peer'), parametersOfRows);
    const commits = COMMITS_A_ROUND[size];
    // A commit of all three, whose tables must then be the same.
    const contenders = [ours, floor, peer].map((committer) => contender(committer, commits));
    for (const each of contenders) await each();
    const sums = await Promise.all(
      ['ours', 'floor', 'peer'].map((schema) => projectionChecksum(pools[0]!, schema, TOPICS)),
    );
    expectSame('the tables of floor and peer', sums.slice(1), [sums[0], sums[0]]);
    const { rows } = await pools[0]!.query<{ events: string }>(
      'select sum(events) as events from ours.outcome_minute',
    );
    expectSame('events in the rows', Number(rows[0]!.events), commits * EVENTS_A_COMMIT);
    const answer = `the same tables by all three, SHA-256 ${sums[0]!.slice(0, 16)}`;
    return { ours: contenders[0]!, floor: contenders[1]!, peer: contenders[2]!, answer, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const POOL = {
  poolSize: 1,
  statementTimeoutMs: 60_000,
  lockTimeoutMs: 5_000,
  applicationName: 'airouter bench',
};

interface World {
  pool: Pool;
  schema: string;
  /** CPU seconds of this process and the backend so far. */
  cpu: () => number;
}

/** Each contender walks through the same endless sequence of fetches, at its own place in it. */
function contender(commit: Committer, commits: number): Contender {
  let next = 0;
  return async () => {
    let cpuSeconds = 0;
    for (let i = 0; i < commits; i++, next++) {
      const from = next * RECORDS_A_FETCH;
      const [records] = fetchesOf(outcomes(next * EVENTS_A_COMMIT, EVENTS_A_COMMIT), from);
      cpuSeconds += await commit(records!, from);
    }
    return { units: commits * EVENTS_A_COMMIT, cpuSeconds };
  };
}

function storeCommitter({ pool, schema, cpu }: World): Committer {
  const store = createProjectionStore({
    pool,
    schema,
    owner: 'bench',
    settings: SETTINGS,
    topics: TOPICS,
  });
  let state: PartitionState | null = null;
  return async (records, expected) => {
    if (state === null) {
      await store.load(TOPICS.outcomes, 0);
      state = partitionState(TOPICS.outcomes, 0, 10_000, NEW_STATE);
    }
    const result = foldBatch(state, records, SETTINGS);
    const last = { offset: records.at(-1)!.offset, hash: 'not compared here' };
    const before = cpu();
    await store.commit({ state, expected, last, deadLettersFrom: 0, result });
    return cpu() - before;
  };
}

/** Statements with their parameters, by table. */
type Statements = { name: string; values: unknown[] }[];

function upsertCommitter(
  { pool, schema, cpu }: World,
  parametersOf: (table: TableName, result: BatchResult) => unknown[][],
): Committer {
  const state = partitionState(TOPICS.outcomes, 0, 10_000, NEW_STATE);
  const timePartitions = new TimePartitions(schema);
  const texts = Object.fromEntries(
    TABLE_NAMES.map((name) => [name, upsertSql(schema, TABLES[name])]),
  );
  return async (records) => {
    const result = foldBatch(state, records, SETTINGS);
    await timePartitions.create(pool, timePartitions.missing(result.delta));
    const statements: Statements = TABLE_NAMES.flatMap((name) =>
      parametersOf(name, result).map((values) => ({ name, values })),
    );
    const before = cpu();
    await withTransaction(pool, 'read committed', async (client: PoolClient) => {
      for (const { name, values } of statements) {
        await client.query({ name: `${schema}.${name}`, text: texts[name]!, values });
      }
    });
    return cpu() - before;
  };
}

/** One statement for all rows of a table. */
function parametersOfTables(table: TableName, { delta }: BatchResult): unknown[][] {
  const rows = delta.rows[table];
  return rows.size === 0 ? [] : [upsertParameters(TABLES[table], rows)];
}

/** One statement for each row: arrays of one element, so that the text is the same. */
function parametersOfRows(table: TableName, { delta }: BatchResult): unknown[][] {
  return [...delta.rows[table]].map(([key, row]) =>
    upsertParameters(TABLES[table], new Map([[key, row]])),
  );
}

/** Of the only connection that the pool has; the kernel counts nanoseconds. */
async function cpuOf(pool: Pool): Promise<() => number> {
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid');
  const path = `/proc/${rows[0]!.pid}/schedstat`;
  return () => {
    const { user, system } = process.cpuUsage();
    const backendNs = Number(readFileSync(path, 'utf8').split(' ')[0]);
    return (user + system) / 1e6 + backendNs / 1e9;
  };
}
