import { createHash, type Hash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import { TABLE_NAMES, TABLES, type Table } from '../fold/tables.js';
import type { Topics } from '../log/topics.js';

const ROWS_A_FETCH = 5_000;

/**
 * SHA-256, hex, over everything that was folded from the log: the tables in name order, each with
 * its rows above the retention floor in key order, every column in Postgres' text form (integers
 * in decimal). Equal logs up to equal offsets give equal checksums, on any machine.
 */
export function projectionChecksum(pool: Pool, schema: string, topics: Topics): Promise<string> {
  return withTransaction(pool, 'repeatable read', (client) =>
    checksumOf(client, schema, topics, TABLE_NAMES),
  );
}

/** The checksum of each table on its own: where two projections differ. */
export function tableChecksums(
  pool: Pool,
  schema: string,
  topics: Topics,
): Promise<Record<string, string>> {
  return withTransaction(pool, 'repeatable read', async (client) => {
    const sums: Record<string, string> = {};
    for (const name of TABLE_NAMES) sums[name] = await checksumOf(client, schema, topics, [name]);
    return sums;
  });
}

async function checksumOf(
  client: PoolClient,
  schema: string,
  topics: Topics,
  names: readonly (keyof typeof TABLES)[],
): Promise<string> {
  const hash = createHash('sha256');
  for (const name of names) {
    hash.update(`${name}\n`);
    await addRows(client, schema, TABLES[name], topics[TABLES[name].source], hash);
  }
  return hash.digest('hex');
}

async function addRows(
  client: PoolClient,
  schema: string,
  table: Table,
  topic: string,
  hash: Hash,
): Promise<void> {
  const columns = [...table.keys, ...table.values].map((column) => `stored.${column.name}`);
  const keys = table.keys.map((column) => `stored.${column.name}`);
  const aboveFloor =
    table.time === null
      ? ''
      : `where stored.${table.time} >= coalesce((select floor from "${schema}".retention_floor as kept
           where kept.table_name = '${table.name}' and kept.topic = '${topic}'
             and kept.partition = stored.partition), 0)`;
  await client.query(
    `declare checksum_rows no scroll cursor for
     select row(${columns.join(', ')})::text as line from "${schema}".${table.name} as stored
     ${aboveFloor} order by ${keys.join(', ')}`,
  );
  for (;;) {
    const { rows } = await client.query<{ line: string }>(
      `fetch ${ROWS_A_FETCH} from checksum_rows`,
    );
    for (const { line } of rows) hash.update(`${line}\n`);
    if (rows.length < ROWS_A_FETCH) break;
  }
  await client.query('close checksum_rows');
}
