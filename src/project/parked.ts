import type { Pool, PoolClient } from 'pg';
import type { ParkedPlace } from '../fold/context.js';
import { type Origin, placeText } from '../fold/origin.js';

/** Parked places: a dead letter counts only if its row was committed with the offset. */
export async function storeParked(
  client: PoolClient,
  schema: string,
  topic: string,
  partition: number,
  parked: readonly ParkedPlace[],
): Promise<void> {
  if (parked.length === 0) return;
  await client.query(
    `insert into "${schema}".parked (topic, partition, record_offset, index, code, reason)
     select $1, $2, * from unnest($3::int8[], $4::int4[], $5::text[], $6::text[])
     on conflict do nothing`,
    [
      topic,
      partition,
      parked.map((place) => place.offset),
      parked.map((place) => place.index),
      parked.map((place) => place.code),
      parked.map((place) => place.reason),
    ],
  );
}

/** A counted copy: a place is replayed once, in the transaction that counts it. */
export async function storeReplayed(
  client: PoolClient,
  schema: string,
  topic: string,
  partition: number,
  offsetNext: number,
  places: readonly string[],
): Promise<void> {
  if (places.length === 0) return;
  const split = places.map((place) => place.split('/'));
  await client.query(
    `update "${schema}".parked set replayed_below = $3
     from unnest($4::int8[], $5::int4[]) as given (record_offset, index)
     where parked.topic = $1 and parked.partition = $2
       and parked.record_offset = given.record_offset and parked.index = given.index`,
    [
      topic,
      partition,
      offsetNext,
      split.map(([offset]) => offset),
      split.map(([, index]) => index),
    ],
  );
}

/** Places, as `offset/index`, that are parked of the records from `first` to `last`. */
export async function readParked(
  pool: Pool,
  schema: string,
  topic: string,
  partition: number,
  [first, last]: readonly [number, number],
): Promise<Set<string>> {
  const { rows } = await pool.query<{ place: string }>(
    `select record_offset || '/' || index as place from "${schema}".parked
     where topic = $1 and partition = $2 and record_offset between $3 and $4`,
    [topic, partition, first, last],
  );
  return new Set(rows.map(({ place }) => place));
}

/** Of the places named: the parked ones of this partition without a counted copy. */
export async function readReplayable(
  pool: Pool,
  schema: string,
  topic: string,
  partition: number,
  origins: readonly Origin[],
): Promise<Set<string>> {
  const own = origins.filter((each) => each.topic === topic && each.partition === partition);
  const { rows } = await pool.query<{ record_offset: number; index: number }>(
    `select record_offset, index from "${schema}".parked
     join unnest($3::int8[], $4::int4[]) as given (record_offset, index)
       using (record_offset, index)
     where topic = $1 and partition = $2 and replayed_below is null`,
    [topic, partition, own.map((each) => each.offset), own.map((each) => each.index)],
  );
  return new Set(rows.map((row) => placeText(row.record_offset, row.index)));
}
