import type { Row } from '../fold/delta.js';
import type { ColumnType, Merge, Table } from '../fold/tables.js';
import { arrayLiteral } from './array-literal.js';

/**
 * The upsert of a table: one statement for all rows of a batch, with one array parameter a column.
 * Whatever the number of rows it is the same text, so it is planned once. `condition`: a clause that
 * holds for all rows or for none.
 */
export function upsertSql(schema: string, table: Table, condition = ''): string {
  const columns = [...table.keys, ...table.values];
  const names = columns.map((column) => column.name).join(', ');
  const parameters = columns.map((column, i) => `$${i + 1}::${PARAMETER_TYPE[column.type]}[]`);
  const selected = columns.map((column, i) =>
    column.type === 'histogram' ? `c${i + 1}::int8[]` : `c${i + 1}`,
  );
  const aliases = columns.map((_, i) => `c${i + 1}`).join(', ');
  const merged = table.values.map(
    (column) => `${column.name} = ${mergeSql(schema, column.merge, column.name)}`,
  );
  return `insert into "${schema}".${table.name} as stored (${names})
select ${selected.join(', ')} from unnest(${parameters.join(', ')}) as given (${aliases}) ${condition}
on conflict (${table.keys.map((column) => column.name).join(', ')}) do update set
${merged.join(',\n')}`;
}

/** The parameters of `upsertSql`: rows sorted by key, so that locks are taken in one order. */
export function upsertParameters(table: Table, rows: ReadonlyMap<string, Row>): string[] {
  const sorted = [...rows.keys()].sort().map((key) => rows.get(key)!);
  return [...table.keys, ...table.values].map((column, index) =>
    arrayLiteral(
      column.type,
      sorted.map((row) => row[index]!),
    ),
  );
}

const PARAMETER_TYPE: Record<ColumnType, string> = {
  int4: 'int4',
  int8: 'int8',
  numeric: 'numeric',
  text: 'text',
  bool: 'bool',
  histogram: 'text',
};

function mergeSql(schema: string, merge: Merge, name: string): string {
  switch (merge) {
    case 'sum':
      return `stored.${name} + excluded.${name}`;
    case 'max':
      return `greatest(stored.${name}, excluded.${name})`;
    case 'min':
      return `least(stored.${name}, excluded.${name})`;
    case 'last':
      return `excluded.${name}`;
    case 'histogram':
      return `"${schema}".histogram_add(stored.${name}, excluded.${name})`;
  }
}
