import type { Pool } from 'pg';
import type { ErrorCode } from '../errors.js';
import type { Verdict } from '../fold/context.js';
import type { TopicPartition } from '../log/port.js';

/** What an earlier fold parked: by offset, then by index (-1 = the record whole). */
export type Verdicts = ReadonlyMap<number, ReadonlyMap<number, Verdict>>;

/**
 * Answers what was parked of the records from `first` to `last`; those of which nothing is known were
 * folded. Null = nobody has judged: they are to be judged. It is asked batch by batch: an emitter
 * that breaks a rule may have had millions of events parked.
 */
export type ReadVerdicts = (
  place: TopicPartition,
  first: number,
  last: number,
) => Promise<Verdicts | null>;

export const nobodyJudged: ReadVerdicts = () => Promise.resolve(null);

/** Those of the live projection, for records below its offsets: what it parked of them stays so. */
export function storedVerdicts(pool: Pool, schema: string): ReadVerdicts {
  return async ({ topic, partition }, first, last) => {
    const { rows } = await pool.query<Verdict & { record_offset: number; index: number }>(
      `select record_offset, index, code, reason from "${schema}".parked
       where topic = $1 and partition = $2 and record_offset between $3 and $4`,
      [topic, partition, first, last],
    );
    const verdicts = new Map<number, Map<number, Verdict>>();
    for (const { record_offset, index, code, reason } of rows) {
      const ofRecord = verdicts.get(record_offset) ?? new Map<number, Verdict>();
      verdicts.set(record_offset, ofRecord.set(index, { code: code as ErrorCode, reason }));
    }
    return verdicts;
  };
}
