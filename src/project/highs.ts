import type { Pool } from 'pg';
import type { PublisherHigh } from '../fold/publisher-highs.js';
import { IF_FIRST, type Write } from './combined-statement.js';

/** Rows of one statement that forgets: it holds no lock for long. */
const FORGET_MAX = 10_000;

/** What is stored of these publishers in a partition. */
export async function readHighs(
  pool: Pool,
  schema: string,
  topic: string,
  partition: number,
  publishers: readonly string[],
): Promise<PublisherHigh[]> {
  const { rows } = await pool.query<PublisherHigh>(
    `select publisher, sequence, used_at_ms as "usedAtMs" from "${schema}".publisher_high
     where topic = $1 and partition = $2 and publisher = any($3::text[])`,
    [topic, partition, publishers],
  );
  return rows;
}

interface CommittedHighs {
  move: { topic: string; partition: number };
  highs: readonly PublisherHigh[];
}

export const publisherHighs = (schema: string): Write<CommittedHighs> => ({
  text: `insert into "${schema}".publisher_high (topic, partition, publisher, sequence, used_at_ms)
     select $1, $2, * from unnest($3::text[], $4::int8[], $5::int8[]) ${IF_FIRST}
     on conflict (topic, partition, publisher) do update
     set sequence = excluded.sequence, used_at_ms = excluded.used_at_ms`,
  values: ({ move: { topic, partition }, highs }) => [
    topic,
    partition,
    highs.map((high) => high.publisher),
    highs.map((high) => high.sequence),
    highs.map((high) => high.usedAtMs),
  ],
});

/**
 * Deletes highs that have expired: they count as none already. `lifetimeMs`: how far the partition's
 * highest record time is past their last use. Answers how many were deleted.
 */
export async function forgetHighs(pool: Pool, schema: string, lifetimeMs: number): Promise<number> {
  for (let deleted = 0; ; ) {
    // Who is used again meanwhile is locked or another version of its row: neither is deleted.
    const { rowCount } = await pool.query(
      `delete from "${schema}".publisher_high where ctid = any(array(
         select high.ctid from "${schema}".publisher_high as high
         join "${schema}".projection_checkpoint as checkpoint using (topic, partition)
         where high.used_at_ms < checkpoint.highest_record_ms - $1
         limit $2 for update of high skip locked))`,
      [lifetimeMs, FORGET_MAX],
    );
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < FORGET_MAX) return deleted;
  }
}
