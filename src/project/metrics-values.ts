import type { PoolClient } from 'pg';
import { STATUSES } from '../event/outcome.js';
import type { LatencyMetric, LatencyRow, MetricsValue, MinuteRow } from '../hotkeys/values.js';

/** How many minutes behind its newest one an offering's value holds. */
const MINUTES = 30;

const COUNTS = STATUSES.map((status) => `sum(${status})::int8`).join(', ');

/** Values of `metrics:<offering>` for the offerings named; absent = no minute is left of it. */
export async function readMetricsValues(
  client: PoolClient,
  schema: string,
  offerings: readonly string[],
): Promise<Map<string, MetricsValue>> {
  const values = new Map<string, MetricsValue>();
  if (offerings.length === 0) return values;
  for (const [offering, row] of await readMinutes(client, schema, offerings)) {
    let value = values.get(offering);
    if (value === undefined) {
      value = { offering, minutes: [], latency: [] };
      values.set(offering, value);
    }
    value.minutes.push(row);
  }
  for (const [offering, row] of await readLatency(client, schema, offerings)) {
    values.get(offering)?.latency.push(row);
  }
  return values;
}

/** The offerings with the newest minute that was marked for each. */
const newestSql = (schema: string): string => `(
  select name, max(newest_minute) as newest from "${schema}".hot_mark
  where name = any($1::text[]) and newest_minute is not null group by name) as mark`;

async function readMinutes(
  client: PoolClient,
  schema: string,
  offerings: readonly string[],
): Promise<[string, MinuteRow][]> {
  const { rows } = await client.query({
    rowMode: 'array',
    text: `select offering, minute, operation, stream, fallback, array[${COUNTS}]::text,
        sum(pace_count)::int8, sum(pace_sum)::int8, sum(pace_square_sum)::int8,
        sum(generation_sum)::int8, sum(generation_square_sum)::int8, sum(generation_pace_sum)::int8,
        sum(input_tokens_known)::int8, sum(input_tokens)::text,
        sum(output_tokens_known)::int8, sum(output_tokens)::text
      from ${newestSql(schema)}
      join "${schema}".outcome_minute on offering = mark.name
        and minute > mark.newest - ${MINUTES} and minute <= mark.newest
      group by offering, minute, operation, stream, fallback
      order by offering, minute, operation, stream, fallback`,
    values: [offerings],
  });
  return rows.map((row) => [
    row[0] as string,
    {
      minute: row[1] as number,
      operation: row[2] as string,
      stream: row[3] as boolean,
      fallback: row[4] as boolean,
      counts: integers(row[5] as string),
      pace: [row[6], row[7], row[8]] as [number, number, number],
      generation: [row[9], row[10], row[11]] as [number, number, number],
      input_tokens: [row[12] as number, Number(row[13])],
      output_tokens: [row[14] as number, Number(row[15])],
    },
  ]);
}

async function readLatency(
  client: PoolClient,
  schema: string,
  offerings: readonly string[],
): Promise<[string, LatencyRow][]> {
  const { rows } = await client.query({
    rowMode: 'array',
    text: `select offering, minute, operation, stream, fallback, metric, censored, histogram::text
      from ${newestSql(schema)}
      join "${schema}".latency_minute on offering = mark.name
        and minute > mark.newest - ${MINUTES} and minute <= mark.newest
      order by offering, minute, operation, stream, fallback, metric, partition`,
    values: [offerings],
  });
  const merged: [string, LatencyRow][] = [];
  for (const row of rows) {
    const next: LatencyRow = {
      minute: row[1] as number,
      operation: row[2] as string,
      stream: row[3] as boolean,
      fallback: row[4] as boolean,
      metric: row[5] as LatencyMetric,
      censored: row[6] as number,
      histogram: parseHistogram(row[7] as string),
    };
    const last = merged.at(-1);
    if (last !== undefined && last[0] === row[0] && isSameSeries(last[1], next)) {
      last[1] = {
        ...next,
        censored: last[1].censored + next.censored,
        histogram: addHistograms(last[1].histogram, next.histogram),
      };
    } else merged.push([row[0] as string, next]);
  }
  return merged;
}

function isSameSeries(a: LatencyRow, b: LatencyRow): boolean {
  return (
    a.minute === b.minute &&
    a.operation === b.operation &&
    a.stream === b.stream &&
    a.fallback === b.fallback &&
    a.metric === b.metric
  );
}

/** `[40:42]={1,0,2}` as `[40, 1, 0, 2]`; `{}` as `[]`; subscripts from 1 are left out by Postgres. */
export function parseHistogram(text: string): number[] {
  if (text === '{}') return [];
  const brace = text.indexOf('{');
  const first = brace === 0 ? 1 : Number(text.slice(1, text.indexOf(':')));
  return [first, ...integers(text.slice(brace))];
}

/** Sum of two `[first bucket, count, …]`. */
export function addHistograms(a: readonly number[], b: readonly number[]): number[] {
  if (a.length === 0) return [...b];
  if (b.length === 0) return [...a];
  const first = Math.min(a[0]!, b[0]!);
  const end = Math.max(a[0]! + a.length, b[0]! + b.length) - 1;
  const sum = [first, ...new Array<number>(end - first).fill(0)];
  for (const each of [a, b]) {
    for (let i = 1; i < each.length; i++) sum[each[0]! - first + i]! += each[i]!;
  }
  return sum;
}

function integers(braced: string): number[] {
  return braced.slice(1, -1).split(',').map(Number);
}
