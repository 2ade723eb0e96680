import type { PoolClient } from 'pg';
import { STATUSES } from '../event/outcome.js';
import type { HealthValue, InflightSum, TickRow } from '../hotkeys/values.js';

/** Ticks of 5 s that the value holds: 120 s. */
const TICKS = 24;
const TICK_MS = 5_000;
/** A gauge counts for 15 s. */
const GAUGE_TICKS = 3;
/**
 * A day after a provider named a time to stay away it is asked again, whatever it named: headers hold
 * mistakes, a wrong unit or a date far off, and nothing is disabled for good by one.
 */
const RETRY_AFTER_MS_MAX = 86_400_000;

const COUNTS = STATUSES.map((status) => `sum(${status})::int8`).join(', ');

/** The value of `health`: the newest ticks of all offerings, whichever partition they are in. */
export async function readHealthValue(client: PoolClient, schema: string): Promise<HealthValue> {
  const { rows } = await client.query<{ newest: number | null; newest_gauge: number | null }>(
    `select greatest(outcome, gauge) as newest, gauge as newest_gauge
     from (select (select max(tick) from "${schema}".outcome_tick) as outcome,
       (select max(tick) from "${schema}".inflight_tick) as gauge) as newest_of_each`,
  );
  const { newest, newest_gauge } = rows[0]!;
  if (newest === null) return { newest_tick: null, ticks: {}, inflight: {}, retry_until: {} };
  const isAnyGauge = newest_gauge !== null && newest_gauge > newest - GAUGE_TICKS;
  return {
    newest_tick: newest,
    ticks: await readTicks(client, schema, newest),
    inflight: isAnyGauge ? await readInflight(client, schema, newest) : {},
    retry_until: await readRetryUntil(client, schema, newest),
  };
}

async function readTicks(
  client: PoolClient,
  schema: string,
  newest: number,
): Promise<Record<string, TickRow[]>> {
  const { rows } = await client.query({
    rowMode: 'array',
    text: `select offering, tick, stream, fallback, array[${COUNTS}]::text,
        sum(pace_count)::int8, sum(pace_sum)::int8, sum(pace_square_sum)::int8,
        sum(generation_sum)::int8, sum(generation_square_sum)::int8, sum(generation_pace_sum)::int8,
        coalesce(max(retry_until_ms), 0)::int8, min(ratelimit_remaining)
      from "${schema}".outcome_tick where tick > $1
      group by offering, tick, stream, fallback
      order by offering, tick, stream, fallback`,
    values: [newest - TICKS],
  });
  const ticks = new Map<string, TickRow[]>();
  for (const row of rows) {
    const offering = row[0] as string;
    const list = ticks.get(offering) ?? [];
    ticks.set(offering, list);
    list.push({
      tick: row[1] as number,
      stream: row[2] as boolean,
      fallback: row[3] as boolean,
      counts: (row[4] as string).slice(1, -1).split(',').map(Number),
      pace: [row[5], row[6], row[7]] as [number, number, number],
      generation: [row[8], row[9], row[10]] as [number, number, number],
      retry_until_ms: row[11] as number,
      ratelimit_remaining: row[12] as number | null,
    });
  }
  return Object.fromEntries(ticks);
}

/**
 * The latest deadline of each offering that is still to come, of all ticks that its partition keeps
 * by its floor, whether what is below was dropped yet or not.
 */
async function readRetryUntil(
  client: PoolClient,
  schema: string,
  newest: number,
): Promise<Record<string, number>> {
  const { rows } = await client.query<{ offering: string; until_ms: number }>(
    `select offering, max(least(retry_until_ms, tick::int8 * ${TICK_MS} + ${RETRY_AFTER_MS_MAX})) as until_ms
     from "${schema}".outcome_tick as told
     join "${schema}".retention_floor as kept
       on kept.table_name = 'outcome_tick' and kept.partition = told.partition
     where retry_until_ms > $1 and tick >= kept.floor
       and tick::int8 * ${TICK_MS} + ${RETRY_AFTER_MS_MAX} > $1
     group by offering order by offering`,
    [newest * TICK_MS],
  );
  return Object.fromEntries(rows.map(({ offering, until_ms }) => [offering, until_ms]));
}

/** Each emitter's newest gauge counts once; attempts begun are summed tick by tick. */
async function readInflight(
  client: PoolClient,
  schema: string,
  newest: number,
): Promise<Record<string, InflightSum>> {
  const started = await readStarted(client, schema, newest);
  const { rows } = await client.query<{ offering: string } & InflightSum>(
    `select offering, sum(in_flight)::int8 as in_flight, sum(overdue)::int8 as overdue,
       max(oldest_ms)::int8 as oldest_ms
     from (select distinct on (offering, emitter) offering, in_flight, overdue, oldest_ms
       from "${schema}".inflight_tick where tick > $1 order by offering, emitter, tick desc) as newest
     group by offering order by offering`,
    [newest - GAUGE_TICKS],
  );
  return Object.fromEntries(
    rows.map(({ offering, in_flight, overdue, oldest_ms }) => [
      offering,
      { in_flight, overdue, oldest_ms, started: started.get(offering) ?? [] },
    ]),
  );
}

/** By offering, the tick of its newest gauge first. */
async function readStarted(
  client: PoolClient,
  schema: string,
  newest: number,
): Promise<Map<string, number[]>> {
  const { rows } = await client.query<{ offering: string; started: number[] }>(
    `select offering, array[
         coalesce(sum(started) filter (where tick = last), 0)::int4,
         coalesce(sum(started) filter (where tick = last - 1), 0)::int4,
         coalesce(sum(started) filter (where tick = last - 2), 0)::int4] as started
       from (select offering, tick, started, max(tick) over (partition by offering) as last
         from "${schema}".inflight_tick where tick > $1) as gauge
       group by offering`,
    [newest - 2 * GAUGE_TICKS],
  );
  return new Map(rows.map(({ offering, started }) => [offering, started]));
}
