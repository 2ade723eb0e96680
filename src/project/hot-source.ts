import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import type { Vector } from '../hotkeys/port.js';
import type { HotSource } from '../hotkeys/source.js';
import { metricsKey, type UptimeValue } from '../hotkeys/values.js';
import { readModelsValue, readPoliciesValue, readProvidersValue } from './catalogue-values.js';
import { readHealthValue } from './health-value.js';
import { readMetricsValues } from './metrics-values.js';

/** Keys of the metrics lane that are not of one offering, and how each is read. */
const WHOLE_VALUES: Record<string, (client: PoolClient, schema: string) => Promise<unknown>> = {
  models: readModelsValue,
  providers: readProvidersValue,
  policies: readPoliciesValue,
};

/**
 * What the hot keys are written from: values and vector in one repeatable-read transaction, so
 * that a value is never newer than the vector it is written with. Values are functions of rows
 * alone; the reader computes what depends on the moment. `inForce`: which of several versions
 * readers are pointed at; without it, or where it knows none, this one.
 */
export function createHotSource(
  pool: Pool,
  schema: string,
  version: number,
  topics: readonly string[],
  inForce: () => Promise<{ schema: string; version: number } | null> = async () => null,
): HotSource {
  const generationOf = (each: { schema: string; version: number }): Promise<string> =>
    withTransaction(pool, 'repeatable read', (client) =>
      readGeneration(client, each.schema, each.version),
    );
  const own = { schema, version };

  return {
    generation: () => generationOf(own),
    async generationInForce() {
      const other = await inForce();
      return generationOf(other === null || other.schema === schema ? own : other);
    },

    health: () =>
      withTransaction(pool, 'repeatable read', async (client) => ({
        vector: await readVector(client, schema, topics),
        value: JSON.stringify(await readHealthValue(client, schema)),
      })),

    metrics: (since) =>
      withTransaction(pool, 'repeatable read', async (client) => {
        const vector = await readVector(client, schema, topics);
        const marked = await readMarked(client, schema, since);
        const values = new Map<string, string | null>();
        for (const name of Object.keys(WHOLE_VALUES)) {
          if (since !== null && !marked.delete(name)) continue;
          marked.delete(name);
          values.set(name, JSON.stringify(await WHOLE_VALUES[name]!(client, schema)));
        }
        const offerings = [...marked].sort();
        const metrics = await readMetricsValues(client, schema, offerings);
        for (const offering of offerings) {
          const value = metrics.get(offering);
          values.set(metricsKey(offering), value === undefined ? null : JSON.stringify(value));
        }
        // Its cache is computed at its own pace: no mark says when.
        values.set('uptime', JSON.stringify(await readUptime(client, schema)));
        return { vector, values };
      }),
  };
}

/**
 * Projection version and database identity: system identifier, timeline and the schema's own
 * oid, so that a projection that was dropped and made again is a new generation.
 */
async function readGeneration(
  client: PoolClient,
  schema: string,
  version: number,
): Promise<string> {
  const { rows } = await client.query<{ identity: string }>(
    `select system_identifier || '.' || timeline_id || '.' || to_regnamespace($1)::oid as identity
     from pg_control_system(), pg_control_checkpoint()`,
    [`"${schema}"`],
  );
  return `v${version}.${rows[0]!.identity}`;
}

/** Next offset of every partition of the folded topics; 0 where none was read yet. */
export async function readVector(
  client: PoolClient,
  schema: string,
  topics: readonly string[],
): Promise<Vector> {
  const { rows } = await client.query<{ topic: string; partition: number; offset_next: number }>(
    `select topic, partition, offset_next from "${schema}".projection_checkpoint
     where topic = any($1::text[]) order by topic, partition`,
    [topics],
  );
  const vector: Record<string, number[]> = {};
  for (const { topic, partition, offset_next } of rows) {
    const offsets = vector[topic] ?? [];
    vector[topic] = offsets;
    while (offsets.length < partition) offsets.push(0);
    offsets[partition] = offset_next;
  }
  return vector;
}

/** Whether the vector is nowhere below the other one. */
export function isAtLeast(vector: Vector, other: Vector): boolean {
  return Object.entries(other).every(([topic, offsets]) =>
    offsets.every((offset, partition) => (vector[topic]?.[partition] ?? 0) >= offset),
  );
}

/** Names that were marked above the vector; all of them where there is none. */
async function readMarked(
  client: PoolClient,
  schema: string,
  since: Vector | null,
): Promise<Set<string>> {
  const places = Object.entries(since ?? {}).flatMap(([topic, offsets]) =>
    offsets.map((offset, partition) => ({ topic, partition, offset })),
  );
  const { rows } = await client.query<{ name: string }>(
    `select distinct mark.name from "${schema}".hot_mark as mark
     left join unnest($1::text[], $2::int4[], $3::int8[]) as given (topic, partition, offset_next)
       using (topic, partition)
     where given.offset_next is null or mark.offset_next > given.offset_next`,
    [
      places.map((place) => place.topic),
      places.map((place) => place.partition),
      places.map((place) => place.offset),
    ],
  );
  return new Set(rows.map((row) => row.name));
}

/** The value of `uptime`: first attempts of the newest 25 hours, from the hourly cache. */
async function readUptime(client: PoolClient, schema: string): Promise<UptimeValue> {
  const { rows } = await client.query({
    rowMode: 'array',
    text: `select offering, hour, sum(success)::int8,
        sum(error + timeout + rate_limited + unauthorized + invalid_response)::int8
      from "${schema}".outcome_hour
      where hour > (select max(hour) from "${schema}".outcome_hour) - 25 and not fallback
      group by offering, hour order by offering, hour`,
  });
  const uptime = new Map<string, UptimeValue[string]>();
  for (const [offering, hour, success, failure] of rows) {
    const list = uptime.get(offering as string) ?? [];
    uptime.set(offering as string, list);
    list.push([hour as number, success as number, failure as number]);
  }
  return Object.fromEntries(uptime);
}
