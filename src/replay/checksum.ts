import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import { TABLE_NAMES, TABLES, type Table, type TableName } from '../fold/tables.js';
import type { Topics } from '../log/topics.js';

/** Rows in memory at once: some 2 MB. */
const ROWS_A_FETCH = 5_000;

/**
 * SHA-256, hex, over everything that was folded from the log: the tables in name order, each with
 * its rows above the retention floor in key order, every column in Postgres' text form (integers
 * in decimal). Equal logs up to equal offsets give equal checksums, on any machine.
 */
export async function projectionChecksum(
  pool: Pool,
  schema: string,
  topics: Topics,
): Promise<string> {
  const { total } = await withTransaction(pool, 'repeatable read', (client) =>
    checksumsOf(client, schema, topics),
  );
  return total;
}

export interface Checksums {
  /** Over all tables. */
  total: string;
  /** Over the rows of each: where two projections differ. */
  tables: Readonly<Record<TableName, string>>;
}

/** In the transaction of the caller. */
export async function checksumsOf(
  client: PoolClient,
  schema: string,
  topics: Topics,
): Promise<Checksums> {
  const total = createHash('sha256');
  const tables: Partial<Record<TableName, string>> = {};
  for (const name of TABLE_NAMES) {
    const own = createHash('sha256');
    total.update(`${name}\n`);
    const rows = rowsAboveFloor(schema, TABLES[name], topics, ROWS_AS_TEXT);
    for await (const page of readPages(client, 'checksum_rows', rows)) {
      const lines = page.map(([line]) => `${line}\n`).join('');
      total.update(lines);
      own.update(lines);
    }
    tables[name] = own.digest('hex');
  }
  return { total: total.digest('hex'), tables: tables as Checksums['tables'] };
}

/** One column: the row whole. */
const ROWS_AS_TEXT = (columns: readonly string[]): string[] => [`row(${columns.join(', ')})::text`];

/** Selects the rows of a table above its retention floors, in key order. */
export function rowsAboveFloor(
  schema: string,
  table: Table,
  topics: Topics,
  select: (columns: readonly string[]) => readonly string[],
): string {
  const columns = [...table.keys, ...table.values].map((column) => `stored.${column.name}`);
  const keys = table.keys.map((column) => `stored.${column.name}`);
  const aboveFloor =
    table.time === null
      ? ''
      : `where stored.${table.time} >= coalesce((select floor from "${schema}".retention_floor as kept
           where kept.table_name = '${table.name}' and kept.topic = '${topics[table.source]}'
             and kept.partition = stored.partition), 0)`;
  return `select ${select(columns).join(', ')} from "${schema}".${table.name} as stored
    ${aboveFloor} order by ${keys.join(', ')}`;
}

/** The rows of a statement, some thousands at a time, in the transaction of the caller. */
export async function* readPages(
  client: PoolClient,
  cursor: string,
  sql: string,
): AsyncGenerator<(string | null)[][]> {
  await client.query(`declare ${cursor} no scroll cursor for ${sql}`);
  const fetch = { text: `fetch ${ROWS_A_FETCH} from ${cursor}`, rowMode: 'array' as const };
  for (;;) {
    const { rows } = await client.query<(string | null)[]>(fetch);
    yield rows;
    if (rows.length < ROWS_A_FETCH) break;
  }
  await client.query(`close ${cursor}`);
}
