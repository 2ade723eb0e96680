import { TABLE_NAMES, TABLES, type TableName } from './tables.js';

/** A cell of a row: bucket counts are `[first bucket, count, count, …]` without zeros at the ends. */
export type Cell = string | number | bigint | boolean | null | number[];

/** Cells in the order of the table's key columns, then of its value columns. */
export type Row = Cell[];

/** What a batch changes, table by table: rows by the text of their key. */
export class Delta {
  readonly rows: Readonly<Record<TableName, Map<string, Row>>>;

  constructor() {
    this.rows = Object.fromEntries(
      TABLE_NAMES.map((name) => [name, new Map<string, Row>()]),
    ) as Record<TableName, Map<string, Row>>;
  }

  /** The row of a key, made with zeros where the batch has not touched it yet. */
  row(table: TableName, key: readonly Cell[]): Row {
    const text = key.join('\u0000');
    const rows = this.rows[table];
    let row = rows.get(text);
    if (row === undefined) {
      row = [...key, ...EMPTY[table]];
      for (const index of HISTOGRAM_CELLS[table]) row[index] = [];
      rows.set(text, row);
    }
    return row;
  }
}

const EMPTY = Object.fromEntries(
  TABLE_NAMES.map((name) => [
    name,
    TABLES[name].values.map((column) => (column.merge === 'sum' ? 0 : null)),
  ]),
) as unknown as Record<TableName, readonly Cell[]>;

const HISTOGRAM_CELLS = Object.fromEntries(
  TABLE_NAMES.map((name) => [
    name,
    TABLES[name].values.flatMap((column, index) =>
      column.merge === 'histogram' ? [TABLES[name].keys.length + index] : [],
    ),
  ]),
) as unknown as Record<TableName, readonly number[]>;

/** Position of a value column in the rows of its table. */
export function cellOf(table: TableName, column: string): number {
  const index = TABLES[table].values.findIndex((value) => value.name === column);
  if (index === -1) throw new Error(`${table} has no column ${column}`);
  return TABLES[table].keys.length + index;
}

/** Adds to a sum, exactly: a number while it is safe, a bigint from there on. */
export function add(row: Row, index: number, amount: number): void {
  const before = row[index] as number | bigint;
  if (typeof before === 'bigint') {
    row[index] = before + BigInt(amount);
    return;
  }
  const after = before + amount;
  row[index] = Number.isSafeInteger(after) ? after : BigInt(before) + BigInt(amount);
}

export function keepGreatest(row: Row, index: number, value: number): void {
  const before = row[index] as number | null;
  if (before === null || value > before) row[index] = value;
}

export function keepLeast(row: Row, index: number, value: number): void {
  const before = row[index] as number | null;
  if (before === null || value < before) row[index] = value;
}

/** Counts one observation in a bucket; the cell grows at either end, and holds no outer zeros. */
export function countBucket(row: Row, index: number, bucket: number): void {
  const cell = row[index] as number[];
  if (cell.length === 0) {
    cell.push(bucket, 1);
    return;
  }
  const first = cell[0]!;
  if (bucket < first) {
    cell.splice(0, 1, bucket, 1, ...new Array<number>(first - bucket - 1).fill(0));
    return;
  }
  while (cell.length - 2 < bucket - first) cell.push(0);
  cell[1 + bucket - first]! += 1;
}
