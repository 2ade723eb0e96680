import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import type { Table } from '../fold/tables.js';
import type { Topics } from '../log/topics.js';
import { RANGE, TIME_TABLES } from './time-partitions.js';

/** Columns that the books are closed by: what is dropped of them is recorded. */
const COUNTED: Readonly<Record<string, string>> = {
  outcome_minute: 'events',
  summary_minute: 'summaries',
};

/**
 * Drops the time ranges that every partition of the log has left behind. Floors follow record
 * time, so a projection that is rebuilt from an old log keeps what it kept then. Answers the names
 * of the dropped tables.
 */
export async function dropExpired(pool: Pool, schema: string, topics: Topics): Promise<string[]> {
  const dropped: string[] = [];
  for (const table of TIME_TABLES) {
    const floor = await lowestFloor(pool, schema, table, topics[table.source]);
    if (floor === null) continue;
    for (const from of await rangesOf(pool, schema, table)) {
      if (from + RANGE[table.time!] > floor) continue;
      await dropRange(pool, schema, table, topics[table.source], from);
      dropped.push(`${table.name}_${from}`);
    }
  }
  return dropped;
}

/** Null while a partition of the topic has not folded anything: it may still need every range. */
async function lowestFloor(
  pool: Pool,
  schema: string,
  table: Table,
  topic: string,
): Promise<number | null> {
  const { rows } = await pool.query<{ floor: number | null }>(
    `select case when count(*) = count(kept.floor) then min(kept.floor) end as floor
     from "${schema}".projection_checkpoint as checkpoint
     left join "${schema}".retention_floor as kept
       on kept.topic = checkpoint.topic and kept.partition = checkpoint.partition
         and kept.table_name = $2
     where checkpoint.topic = $1`,
    [topic, table.name],
  );
  return rows[0]!.floor;
}

async function rangesOf(pool: Pool, schema: string, table: Table): Promise<number[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select child.relname as name from pg_inherits
     join pg_class as child on child.oid = inhrelid where inhparent = to_regclass($1)`,
    [`"${schema}".${table.name}`],
  );
  return rows.map(({ name }) => Number(name.slice(table.name.length + 1))).sort((a, b) => a - b);
}

/**
 * The books record what goes, in the transaction in which it goes. While it is counted it may be
 * read: a reader of the whole table holds its parent, which the drop has to wait for.
 */
function dropRange(
  pool: Pool,
  schema: string,
  table: Table,
  topic: string,
  from: number,
): Promise<void> {
  return withTransaction(pool, 'read committed', async (client: PoolClient) => {
    const range = `"${schema}".${table.name}_${from}`;
    await client.query(`lock table ${range} in share row exclusive mode`);
    const counted = COUNTED[table.name];
    if (counted !== undefined) {
      await client.query(
        `update "${schema}".retention_floor as kept
         set dropped_events = dropped_events + gone.events
         from (select partition, sum(${counted})::int8 as events from ${range} group by partition) as gone
         where kept.table_name = $1 and kept.topic = $2 and kept.partition = gone.partition`,
        [table.name, topic],
      );
    }
    await client.query(`select "${schema}".drop_time_range('${range}')`);
  });
}
