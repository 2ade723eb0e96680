import type { Cell } from '../fold/delta.js';
import type { ColumnType } from '../fold/tables.js';

/**
 * Postgres array literals, one a column, for `unnest`. Made here rather than by the driver, which
 * spends twice the time on them and would send typed arrays as raw bytes.
 */
export function arrayLiteral(type: ColumnType, cells: readonly Cell[]): string {
  switch (type) {
    case 'text':
      return `{${cells.map(textElement).join(',')}}`;
    case 'histogram':
      return `{${cells.map((cell) => `"${histogramLiteral(cell as number[])}"`).join(',')}}`;
    default:
      return `{${cells.map((cell) => (cell === null ? 'NULL' : String(cell))).join(',')}}`;
  }
}

/** `[first, count, …]` as an array whose subscripts are the bucket numbers. */
export function histogramLiteral(cell: readonly number[]): string {
  const [first, ...counts] = cell;
  if (first === undefined) return '{}';
  return `[${first}:${first + counts.length - 1}]={${counts.join(',')}}`;
}

function textElement(cell: Cell): string {
  if (cell === null) return 'NULL';
  return `"${String(cell).replace(/["\\]/g, '\\$&')}"`;
}
