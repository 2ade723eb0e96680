import type { PoolClient } from 'pg';
import type { BatchResult, FoldSettings } from '../fold/context.js';
import type { PublisherHigh } from '../fold/publisher-highs.js';
import { TABLE_NAMES, TABLES, type Table, type TableName } from '../fold/tables.js';
import { combined, type Write } from './combined-statement.js';
import { publisherHighs } from './highs.js';
import { upsertParameters, upsertSql } from './upsert.js';

/** What nearly every commit writes. */
export interface CommitRows {
  topic: string;
  partition: number;
  offsetNext: number;
  highs: readonly PublisherHigh[];
  /** Empty where they are what was stored last. */
  floors: readonly Floor[];
  result: BatchResult;
}

/** Writes the rows of a batch, in the caller's transaction: of the tables of one source. */
export function createCommitRows(
  schema: string,
  source: Table['source'],
): (client: PoolClient, rows: CommitRows) => Promise<void> {
  const tables = TABLE_NAMES.filter((name) => TABLES[name].source === source);
  return combined(`${schema}.rows_${source}`.slice(-63), [
    ...tables.map((name) => upserts(schema, name)),
    publisherHighs(schema),
    dirtyHours(schema),
    retentionFloors(schema),
    hotMarks(schema),
  ]);
}

const upserts = (schema: string, name: TableName): Write<CommitRows> => ({
  text: upsertSql(schema, TABLES[name]),
  values: ({ result }) => upsertParameters(TABLES[name], result.delta.rows[name]),
});

/** Hours whose cached rows must be computed again. */
const dirtyHours = (schema: string): Write<CommitRows> => ({
  text: `insert into "${schema}".dirty_hour as stored (hour, partition)
     select hour, $1 from unnest($2::int4[]) as hour
     on conflict (hour, partition) do update set version = stored.version + 1`,
  values: ({ partition, result }) => [partition, [...result.dirtyHours].sort((a, b) => a - b)],
});

/** Which hot keys changed up to this offset; writers of hot keys read everything marked. */
const hotMarks = (schema: string): Write<CommitRows> => ({
  text: `insert into "${schema}".hot_mark as stored (topic, partition, name, offset_next, newest_minute)
     select $1, $2, name, $3, newest from unnest($4::text[], $5::int4[]) as given (name, newest)
     on conflict (topic, partition, name) do update set offset_next = excluded.offset_next,
       newest_minute = greatest(stored.newest_minute, excluded.newest_minute)`,
  values: ({ topic, partition, offsetNext, result: { marks } }) => {
    const names = [...marks.keys()].sort();
    return [topic, partition, offsetNext, names, names.map((name) => marks.get(name))];
  },
});

/** What a partition keeps follows its highest record time, never the clock. */
const retentionFloors = (schema: string): Write<CommitRows> => ({
  text: `insert into "${schema}".retention_floor as stored (table_name, topic, partition, floor)
     select table_name, $1, $2, floor from unnest($3::text[], $4::int4[]) as given (table_name, floor)
     on conflict (table_name, topic, partition) do update set floor = excluded.floor
     where stored.floor < excluded.floor`,
  values: ({ topic, partition, floors }) => [
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
