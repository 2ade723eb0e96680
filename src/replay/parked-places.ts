import type { Pool } from 'pg';
import { readParked } from '../project/parked.js';

/**
 * The parked places of one partition, as `offset/index`, asked for a piece at a time: an emitter that
 * breaks a rule may have had millions of events parked. Rows of records below a stored offset never
 * change but for their replay.
 */
export interface ParkedPlaces {
  /** Those of the records from `first` to `last`. */
  between(first: number, last: number): Promise<ReadonlySet<string>>;
  /**
   * Of these places the parked ones, each with the offset that the commit which counted its copy
   * ended below; null = none did.
   */
  replayedBelow(places: readonly string[]): Promise<ReadonlyMap<string, number | null>>;
}

export function parkedPlaces(
  pool: Pool,
  schema: string,
  topic: string,
  partition: number,
): ParkedPlaces {
  return {
    between: (first, last) => readParked(pool, schema, topic, partition, [first, last]),
    async replayedBelow(places) {
      if (places.length === 0) return new Map();
      const split = places.map((place) => place.split('/'));
      const { rows } = await pool.query<{ place: string; replayed_below: number | null }>(
        `select distinct record_offset || '/' || index as place, replayed_below
         from "${schema}".parked
         join unnest($3::int8[], $4::int4[]) as given (record_offset, index)
           using (record_offset, index)
         where topic = $1 and partition = $2`,
        [topic, partition, split.map(([offset]) => offset), split.map(([, index]) => index)],
      );
      return new Map(rows.map((row) => [row.place, row.replayed_below]));
    },
  };
}
