import type { PoolClient } from 'pg';
import type { FoldSettings } from '../fold/context.js';
import type { Table } from '../fold/tables.js';

/** Hours whose cached rows must be computed again. */
export async function storeDirtyHours(
  client: PoolClient,
  schema: string,
  partition: number,
  hours: ReadonlySet<number>,
): Promise<void> {
  if (hours.size === 0) return;
  await client.query(
    `insert into "${schema}".dirty_hour as stored (hour, partition)
     select hour, $1 from unnest($2::int4[]) as hour
     on conflict (hour, partition) do update set version = stored.version + 1`,
    [partition, [...hours].sort((a, b) => a - b)],
  );
}

/** What a partition keeps follows its highest record time, never the clock. */
export async function storeFloors(
  client: PoolClient,
  schema: string,
  topic: string,
  partition: number,
  floors: readonly Floor[],
): Promise<void> {
  if (floors.length === 0) return;
  await client.query(
    `insert into "${schema}".retention_floor as stored (table_name, topic, partition, floor)
     select table_name, $1, $2, floor from unnest($3::text[], $4::int4[]) as given (table_name, floor)
     on conflict (table_name, topic, partition) do update set floor = excluded.floor
     where stored.floor < excluded.floor`,
    [topic, partition, floors.map((each) => each.table), floors.map((each) => each.floor)],
  );
}

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

/** Which hot keys changed up to this offset; writers of hot keys read everything marked. */
export async function storeMarks(
  client: PoolClient,
  schema: string,
  topic: string,
  partition: number,
  offsetNext: number,
  marks: ReadonlyMap<string, number | null>,
): Promise<void> {
  if (marks.size === 0) return;
  const names = [...marks.keys()].sort();
  await client.query(
    `insert into "${schema}".hot_mark as stored (topic, partition, name, offset_next, newest_minute)
     select $1, $2, name, $3, newest from unnest($4::text[], $5::int4[]) as given (name, newest)
     on conflict (topic, partition, name) do update set offset_next = excluded.offset_next,
       newest_minute = greatest(stored.newest_minute, excluded.newest_minute)`,
    [topic, partition, offsetNext, names, names.map((name) => marks.get(name))],
  );
}
