import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import {
  type ColumnType,
  TABLE_NAMES,
  TABLES,
  type Table,
  type TableName,
} from '../fold/tables.js';
import type { Topics } from '../log/topics.js';
import { checksumsOf, readPages, rowsAboveFloor } from './checksum.js';

export interface Comparison {
  checksum_live: string;
  checksum_rebuilt: string;
  /** Null where they are equal. */
  difference: Difference | null;
}

/** The first table, in name order, whose rows differ, with the first of them in key order. */
export interface Difference {
  table: TableName;
  rows: RowDifference[];
}

/** Values as Postgres writes them; of a row that both have, the columns that differ. */
export interface RowDifference {
  key: Record<string, string | null>;
  /** Null = there is no such row. */
  live: Record<string, string | null> | null;
  rebuilt: Record<string, string | null> | null;
}

/** Enough to see what is wrong; the table whole can be compared in SQL. */
const DIFFERENCES_MAX = 5;

export interface CompareOptions {
  /** In the transaction that the live rows are read in. */
  live: { client: PoolClient; schema: string };
  shadow: { pool: Pool; schema: string };
  topics: Topics;
}

/** Compares every stored table, row by row above the retention floors. */
export function compareProjections({ live, shadow, topics }: CompareOptions): Promise<Comparison> {
  return withTransaction(shadow.pool, 'repeatable read', async (client) => {
    const [stored, rebuilt] = await Promise.all([
      checksumsOf(live.client, live.schema, topics),
      checksumsOf(client, shadow.schema, topics),
    ]);
    const unequal = TABLE_NAMES.find((name) => stored.tables[name] !== rebuilt.tables[name]);
    const rowsOf = (from: PoolClient, schema: string, table: Table): Rows =>
      readPages(from, 'compared_rows', rowsAboveFloor(schema, table, topics, AS_TEXTS));
    return {
      checksum_live: stored.total,
      checksum_rebuilt: rebuilt.total,
      difference:
        unequal === undefined
          ? null
          : {
              table: unequal,
              rows: await firstDifferences(
                TABLES[unequal],
                rowsOf(live.client, live.schema, TABLES[unequal]),
                rowsOf(client, shadow.schema, TABLES[unequal]),
              ),
            },
    };
  });
}

const AS_TEXTS = (columns: readonly string[]): string[] =>
  columns.map((column) => `${column}::text`);

type Cells = readonly (string | null)[];
type Rows = AsyncIterable<readonly Cells[]>;

/** Both sides come in key order. */
export async function firstDifferences(
  table: Table,
  live: Rows,
  rebuilt: Rows,
): Promise<RowDifference[]> {
  const differences: RowDifference[] = [];
  const [ours, theirs] = [cursorOf(live), cursorOf(rebuilt)];
  let [a, b] = [await ours.next(), await theirs.next()];
  while ((a !== null || b !== null) && differences.length < DIFFERENCES_MAX) {
    const order = a === null ? 1 : b === null ? -1 : compareKeys(table, a, b);
    if (order !== 0 || isUnequal(a!, b!)) {
      differences.push(differenceOf(table, order <= 0 ? a : null, order >= 0 ? b : null));
    }
    if (order <= 0) a = await ours.next();
    if (order >= 0) b = await theirs.next();
  }
  // Cursors are closed behind their last row, or with their transaction.
  return differences;
}

function cursorOf(rows: Rows): { next(): Promise<Cells | null> } {
  const pages = rows[Symbol.asyncIterator]();
  let page: readonly Cells[] = [];
  let at = 0;
  return {
    async next() {
      while (at === page.length) {
        const { value, done } = await pages.next();
        if (done === true) return null;
        page = value;
        at = 0;
      }
      at += 1;
      return page[at - 1]!;
    },
  };
}

const isUnequal = (a: Cells, b: Cells): boolean => a.some((cell, index) => cell !== b[index]);

/** As `order by` does: texts by their bytes (collation "C"), false before true. */
function compareKeys({ keys }: Table, a: Cells, b: Cells): number {
  for (const [index, { type }] of keys.entries()) {
    const order = compareCells(type, a[index]!, b[index]!);
    if (order !== 0) return order;
  }
  return 0;
}

function compareCells(type: ColumnType, a: string, b: string): number {
  if (type === 'int4' || type === 'int8') return Math.sign(Number(a) - Number(b));
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function differenceOf(table: Table, live: Cells | null, rebuilt: Cells | null): RowDifference {
  const names = [...table.keys, ...table.values].map(({ name }) => name);
  const key = (live ?? rebuilt)!.slice(0, table.keys.length);
  const isShown = (index: number): boolean =>
    index >= table.keys.length &&
    (live === null || rebuilt === null || live[index] !== rebuilt[index]);
  const values = (cells: Cells): Record<string, string | null> =>
    Object.fromEntries(
      names.flatMap((name, index) => (isShown(index) ? [[name, cells[index]!]] : [])),
    );
  return {
    key: Object.fromEntries(key.map((cell, index) => [names[index], cell])),
    live: live === null ? null : values(live),
    rebuilt: rebuilt === null ? null : values(rebuilt),
  };
}
