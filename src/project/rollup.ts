import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import { TABLES, type Table } from '../fold/tables.js';

/** Hours computed in one go: a bound on the transaction. */
const HOURS_A_ROUND = 24;

/**
 * Hour and day rows: caches for long ranges, computed whole from minutes whose hours a commit
 * marked. They are no part of what is proven; dropped, they are made again.
 *
 * Answers the number of hours computed; 0 where another process is at it or nothing is dirty.
 */
export async function rollUp(pool: Pool, schema: string): Promise<number> {
  const computed = await withTransaction(pool, 'repeatable read', async (client) => {
    const lock = await client.query<{ taken: boolean }>(
      'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as taken',
      [`${schema}.rollup`],
    );
    return lock.rows[0]!.taken ? computeDirty(client, schema) : [];
  });
  if (computed.length > 0) await clearDirty(pool, schema, computed);
  return new Set(computed.map((row) => row.hour)).size;
}

interface DirtyHour {
  hour: number;
  partition: number;
  version: number;
}

async function computeDirty(client: PoolClient, schema: string): Promise<DirtyHour[]> {
  const { rows } = await client.query<DirtyHour>(
    `select hour, partition, version from "${schema}".dirty_hour
     where hour in (select distinct hour from "${schema}".dirty_hour order by hour limit $1)`,
    [HOURS_A_ROUND],
  );
  const kept = await oldestKeptHour(client, schema);
  // Of what retention drops, the rows of its hours stay as they were computed last.
  const hours = [...new Set(rows.map((row) => row.hour))].filter((hour) => hour >= kept);
  if (hours.length === 0) return rows;
  await computeHours(client, schema, hours);
  await computeDays(client, schema, [...new Set(hours.map((hour) => Math.floor(hour / 24)))]);
  return rows;
}

async function oldestKeptHour(client: PoolClient, schema: string): Promise<number> {
  const { rows } = await client.query<{ hour: number }>(
    `select coalesce(min(floor), 0) / 60 as hour from "${schema}".retention_floor
     where table_name = 'outcome_minute'`,
  );
  return rows[0]!.hour;
}

/** An hour that was marked again meanwhile has another version by now, and stays dirty. */
async function clearDirty(pool: Pool, schema: string, computed: DirtyHour[]): Promise<void> {
  await withTransaction(pool, 'read committed', (client) =>
    client.query(
      `delete from "${schema}".dirty_hour using unnest($1::int4[], $2::int4[], $3::int8[])
         as done (hour, partition, version)
       where dirty_hour.hour = done.hour and dirty_hour.partition = done.partition
         and dirty_hour.version = done.version`,
      [
        computed.map((row) => row.hour),
        computed.map((row) => row.partition),
        computed.map((row) => row.version),
      ],
    ),
  );
}

const ROLLED_UP = [
  { source: TABLES.outcome_minute, hour: 'outcome_hour', day: 'outcome_day' },
  { source: TABLES.latency_minute, hour: 'latency_hour', day: 'latency_day' },
  { source: TABLES.usage_minute, hour: 'usage_hour', day: 'usage_day' },
] as const;

async function computeHours(client: PoolClient, schema: string, hours: number[]): Promise<void> {
  for (const { source, hour } of ROLLED_UP) {
    await client.query(`delete from "${schema}".${hour} where hour = any($1::int4[])`, [hours]);
    await client.query(
      `insert into "${schema}".${hour} ${columnsSql(source, 'hour')}
       select minute / 60, ${sumsSql(schema, source)} from "${schema}".${source.name}
       join unnest($1::int4[]) as given (hour)
         on minute >= given.hour * 60 and minute < given.hour * 60 + 60
       group by minute / 60, ${restOfKeys(source)}`,
      [hours],
    );
  }
}

async function computeDays(client: PoolClient, schema: string, days: number[]): Promise<void> {
  for (const { source, hour, day } of ROLLED_UP) {
    await client.query(`delete from "${schema}".${day} where day = any($1::int4[])`, [days]);
    await client.query(
      `insert into "${schema}".${day} ${columnsSql(source, 'day')}
       select hour / 24, ${sumsSql(schema, source)} from "${schema}".${hour}
       join unnest($1::int4[]) as given (day)
         on hour >= given.day * 24 and hour < given.day * 24 + 24
       group by hour / 24, ${restOfKeys(source)}`,
      [days],
    );
  }
}

const restOfKeys = (table: Table): string =>
  table.keys
    .slice(1)
    .map((column) => column.name)
    .join(', ');

const columnsSql = (table: Table, time: string): string =>
  `(${[time, restOfKeys(table), ...table.values.map((column) => column.name)].join(', ')})`;

const sumsSql = (schema: string, table: Table): string =>
  [
    restOfKeys(table),
    ...table.values.map((column) =>
      column.merge === 'histogram'
        ? `"${schema}".histogram_sum(${column.name})`
        : `sum(${column.name})`,
    ),
  ].join(', ');
