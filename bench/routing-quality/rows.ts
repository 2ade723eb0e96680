import { STATUSES } from '../../src/event/outcome.js';
import { type Cell, cellOf, type Row } from '../../src/fold/delta.js';
import { TABLES, type TableName } from '../../src/fold/tables.js';
import type { InflightSum, MinuteRow, TickRow } from '../../src/hotkeys/values.js';

/** As the table's columns are merged by the projector. */
export function mergeRow(table: TableName, into: Cell[], row: readonly Cell[]): void {
  const { keys, values } = TABLES[table];
  values.forEach(({ merge }, column) => {
    const at = keys.length + column;
    const [a, b] = [into[at] as number | null, row[at] as number | null];
    if (merge === 'sum') into[at] = a! + b!;
    else if (a === null || b === null) into[at] = a ?? b;
    else if (merge === 'max') into[at] = Math.max(a, b);
    else if (merge === 'min') into[at] = Math.min(a, b);
    else throw new Error(`no merge by ${merge} here`);
  });
}

/** Rows begin with their tick or minute. */
export function forget(rows: Map<string, Row>, upTo: number): void {
  for (const [key, row] of rows) if ((row[0] as number) <= upTo) rows.delete(key);
}

const AT = {
  tick: cellOf('outcome_tick', 'events') + 1,
  minute: cellOf('outcome_minute', 'events') + 1,
  tickGeneration: cellOf('outcome_tick', 'generation_sum'),
  minuteGeneration: cellOf('outcome_minute', 'generation_sum'),
  input: cellOf('outcome_minute', 'input_tokens_known'),
  output: cellOf('outcome_minute', 'output_tokens_known'),
  retryUntil: cellOf('outcome_tick', 'retry_until_ms'),
  remaining: cellOf('outcome_tick', 'ratelimit_remaining'),
};

function numbers(row: Row, from: number, count: number): number[] {
  return row.slice(from, from + count) as number[];
}

export function tickRowOf(row: Row): TickRow {
  const pace = numbers(row, AT.tick + STATUSES.length, 3) as [number, number, number];
  return {
    tick: row[0] as number,
    stream: row[3] as boolean,
    fallback: row[4] as boolean,
    counts: numbers(row, AT.tick, STATUSES.length),
    pace,
    generation: numbers(row, AT.tickGeneration, 3) as [number, number, number],
    retry_until_ms: (row[AT.retryUntil] as number | null) ?? 0,
    ratelimit_remaining: row[AT.remaining] as number | null,
  };
}

export function minuteRowOf(row: Row): MinuteRow {
  return {
    minute: row[0] as number,
    operation: row[3] as string,
    stream: row[4] as boolean,
    fallback: row[5] as boolean,
    counts: numbers(row, AT.minute, STATUSES.length),
    pace: numbers(row, AT.minute + STATUSES.length, 3) as [number, number, number],
    generation: numbers(row, AT.minuteGeneration, 3) as [number, number, number],
    input_tokens: numbers(row, AT.input, 2) as [number, number],
    output_tokens: numbers(row, AT.output, 2) as [number, number],
  };
}

const GAUGE = {
  started: cellOf('inflight_tick', 'started'),
  inFlight: cellOf('inflight_tick', 'in_flight'),
  overdue: cellOf('inflight_tick', 'overdue'),
  oldest: cellOf('inflight_tick', 'oldest_ms'),
};

export function gaugeOf(row: Row): InflightSum & { startedNow: number } {
  return {
    in_flight: row[GAUGE.inFlight] as number,
    overdue: row[GAUGE.overdue] as number,
    oldest_ms: row[GAUGE.oldest] as number,
    startedNow: row[GAUGE.started] as number,
  };
}
