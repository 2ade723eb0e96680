import type { Pool, PoolClient } from 'pg';
import { AiRouterError } from '../errors.js';
import type { BatchResult, FoldSettings } from '../fold/context.js';
import type { PublisherHigh } from '../fold/publisher-highs.js';
import { TABLE_NAMES, TABLES, type Table, type TableName } from '../fold/tables.js';
import { type CheckpointMove, checkpointMove } from './checkpoint.js';
import { combined, IF_FIRST, type Write } from './combined-statement.js';
import { publisherHighs } from './highs.js';
import { upsertParameters, upsertSql } from './upsert.js';

/** What nearly every commit writes. */
export interface CommitRows {
  move: CheckpointMove;
  highs: readonly PublisherHigh[];
  /** Empty where they are what was stored last. */
  floors: readonly Floor[];
  result: BatchResult;
}

/**
 * Moves the checkpoint and writes the rows of a batch, of the tables of one source, all or nothing.
 * Throws `checkpoint_moved` where another projector was faster.
 */
export function createCommitRows(
  schema: string,
  source: Table['source'],
): (client: Pick<Pool | PoolClient, 'query'>, rows: CommitRows) => Promise<void> {
  const tables = TABLE_NAMES.filter((name) => TABLES[name].source === source);
  const write = combined<CommitRows>(
    `${schema}.commit_${source}`.slice(-63),
    checkpointMove(schema),
    [
      ...tables.map((name) => upserts(schema, name)),
      publisherHighs(schema),
      dirtyHours(schema),
      retentionFloors(schema),
      hotMarks(schema),
    ],
  );
  return async (client, rows) => {
    if ((await write(client, rows)) === 1) return;
    const { topic, partition, expected } = rows.move;
    throw new AiRouterError(
      'checkpoint_moved',
      `another projector moved ${topic}/${partition} from offset ${expected}`,
    );
  };
}

const upserts = (schema: string, name: TableName): Write<CommitRows> => ({
  text: upsertSql(schema, TABLES[name], IF_FIRST),
  values: ({ result }) => upsertParameters(TABLES[name], result.delta.rows[name]),
});

/** Hours whose cached rows must be computed again. */
const dirtyHours = (schema: string): Write<CommitRows> => ({
  text: `insert into "${schema}".dirty_hour as stored (hour, partition)
     select hour, $1 from unnest($2::int4[]) as hour ${IF_FIRST}
     on conflict (hour, partition) do update set version = stored.version + 1`,
  values: ({ move, result }) => [move.partition, [...result.dirtyHours].sort((a, b) => a - b)],
});

/** Which hot keys changed up to this offset; writers of hot keys read everything marked. */
const hotMarks = (schema: string): Write<CommitRows> => ({
  text: `insert into "${schema}".hot_mark as stored (topic, partition, name, offset_next, newest_minute)
     select $1, $2, name, $3, newest from unnest($4::text[], $5::int4[]) as given (name, newest)
     ${IF_FIRST}
     on conflict (topic, partition, name) do update set offset_next = excluded.offset_next,
       newest_minute = greatest(stored.newest_minute, excluded.newest_minute)`,
  values: ({ move: { topic, partition, offsetNext }, result: { marks } }) => {
    const names = [...marks.keys()].sort();
    return [topic, partition, offsetNext, names, names.map((name) => marks.get(name))];
  },
});

/** What a partition keeps follows its highest record time, never the clock. */
const retentionFloors = (schema: string): Write<CommitRows> => ({
  text: `insert into "${schema}".retention_floor as stored (table_name, topic, partition, floor)
     select table_name, $1, $2, floor from unnest($3::text[], $4::int4[]) as given (table_name, floor)
     ${IF_FIRST}
     on conflict (table_name, topic, partition) do update set floor = excluded.floor
     where stored.floor < excluded.floor`,
  values: ({ move: { topic, partition }, floors }) => [
    topic,
    partition,
    floors.map((each) => each.table),
    floors.map((each) => each.floor),
  ],
});

/** The oldest minute or tick of a table that a partition keeps. */
export interface Floor {
  table: string;
  floor: number;
}

export function floorsOf(
  tables: readonly Table[],
  highestRecordMs: number,
  settings: FoldSettings,
): Floor[] {
  const oldest = {
    tick: Math.floor((highestRecordMs - settings.tickRetentionMs) / 5_000),
    minute: Math.floor((highestRecordMs - settings.minuteRetentionMs) / 60_000),
  };
  return tables.flatMap((table) =>
    table.time === null ? [] : [{ table: table.name, floor: Math.max(0, oldest[table.time]) }],
  );
}
