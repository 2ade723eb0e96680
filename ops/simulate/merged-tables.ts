import type { Cell, Delta, Row } from '../../src/fold/delta.js';
import { TABLE_NAMES, TABLES, type TableName } from '../../src/fold/tables.js';
import { addHistograms } from '../../src/project/metrics-values.js';

/** Tables as Postgres would hold them: deltas merged by the rules of their columns. */
export class MergedTables {
  readonly #rows = new Map<string, Row>();

  /** Answers the places of the rows that it changed. */
  apply(delta: Delta): string[] {
    const changed: string[] = [];
    for (const name of TABLE_NAMES) {
      for (const [key, row] of delta.rows[name]) changed.push(this.#merge(name, key, row));
    }
    return changed;
  }

  /** A row as text; null where there is none. */
  rowText(place: string): string | null {
    return this.#rows.get(place)?.join('|') ?? null;
  }

  /** Rows of one table as objects, in key order. */
  table(name: TableName): Record<string, Cell>[] {
    const columns = [...TABLES[name].keys, ...TABLES[name].values].map((column) => column.name);
    return [...this.#rows.keys()]
      .filter((key) => key.startsWith(`${name}\n`))
      .sort()
      .map((key) => {
        const row = this.#rows.get(key)!;
        return Object.fromEntries(columns.map((column, index) => [column, row[index]!]));
      });
  }

  /** Everything as text: equal tables have equal texts. */
  text(): string {
    return [...this.#rows.keys()]
      .sort()
      .map((key) => `${key}: ${this.rowText(key)}`)
      .join('\n');
  }

  #merge(name: TableName, key: string, row: Row): string {
    const place = `${name}\n${key}`;
    const stored = this.#rows.get(place);
    if (stored === undefined) {
      this.#rows.set(place, [...row]);
      return place;
    }
    TABLES[name].values.forEach((column, index) => {
      const cell = TABLES[name].keys.length + index;
      stored[cell] = merged(column.merge, stored[cell]!, row[cell]!);
    });
    return place;
  }
}

function merged(merge: string, a: Cell, b: Cell): Cell {
  switch (merge) {
    case 'sum':
      return exact(BigInt(a as number) + BigInt(b as number));
    case 'max':
      return a === null ? b : b === null || a > b ? a : b;
    case 'min':
      return a === null ? b : b === null || a < b ? a : b;
    case 'histogram':
      return addHistograms(a as number[], b as number[]);
    default:
      return b;
  }
}

const exact = (sum: bigint): number | bigint => {
  const number = Number(sum);
  return Number.isSafeInteger(number) ? number : sum;
};
