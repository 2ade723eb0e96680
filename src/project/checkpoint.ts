import type { PoolClient } from 'pg';
import type { AdmittedKey, KeyKind } from '../fold/admission.js';
import type { StoredState } from '../fold/partition-state.js';
import type { Write } from './combined-statement.js';

/** The record last read below `offset_next`: a topic that was made anew does not have it. */
export interface LastRecord {
  offset: number;
  hash: string;
}

/** What an assignment starts from. */
export interface Checkpoint extends StoredState {
  last: LastRecord | null;
  /** Where the window of recent event ids begins; null while it is empty. */
  windowOffset: number | null;
  /** Offset in the dead-letter topic below which every letter's place is committed. */
  deadLettersFrom: number;
}

export interface StoredCheckpoint extends Checkpoint {
  /** The table that it was read from: a rebuild puts another one in its place. */
  tableId: number;
}

/** What a commit stores of a partition's state. */
export interface CheckpointMove {
  topic: string;
  partition: number;
  expected: number;
  /** The table that the state was loaded from; null = any. */
  tableId: number | null;
  offsetNext: number;
  last: LastRecord;
  windowOffset: number | null;
  highestRecordMs: number | null;
  records: number;
  undecodableRun: number;
  undecodableRecent: readonly number[];
  deadLettersFrom: number;
  owner: string;
}

/** Reads a partition's checkpoint, made at offset 0 where there is none yet. */
export async function loadCheckpoint(
  client: PoolClient,
  schema: string,
  topic: string,
  partition: number,
): Promise<StoredCheckpoint> {
  const place = [topic, partition];
  await client.query(
    `insert into "${schema}".projection_checkpoint (topic, partition, offset_next)
     values ($1, $2, 0) on conflict do nothing`,
    place,
  );
  const row = (
    await client.query<CheckpointRow>(
      `select offset_next, last_offset, last_hash, window_offset, highest_record_ms, records,
         undecodable_run, undecodable_recent, allowed_to, dead_letters_from,
         tableoid as table_id
       from "${schema}".projection_checkpoint where topic = $1 and partition = $2`,
      place,
    )
  ).rows[0]!;
  const admitted = await client.query<{ day: number; kind: KeyKind; key: string }>(
    `select day, kind, key from "${schema}".admitted_key
     where topic = $1 and partition = $2 and day >= (
       select max(day) - 1 from "${schema}".admitted_key where topic = $1 and partition = $2)`,
    place,
  );
  return {
    ...storedState(row),
    admitted: admitted.rows,
    last: row.last_offset === null ? null : { offset: row.last_offset, hash: row.last_hash! },
    windowOffset: row.window_offset,
    deadLettersFrom: row.dead_letters_from,
    tableId: row.table_id,
  };
}

interface CheckpointRow {
  offset_next: number;
  last_offset: number | null;
  last_hash: string | null;
  window_offset: number | null;
  highest_record_ms: number | null;
  records: number;
  undecodable_run: number;
  undecodable_recent: number[];
  allowed_to: number;
  dead_letters_from: number;
  table_id: number;
}

function storedState(row: CheckpointRow): Omit<StoredState, 'admitted'> {
  return {
    offsetNext: row.offset_next,
    highestRecordMs: row.highest_record_ms,
    deadLetters: {
      records: row.records,
      run: row.undecodable_run,
      recent: row.undecodable_recent.map(Number),
      allowedTo: row.allowed_to,
    },
  };
}

/**
 * Moves the checkpoint by compare-and-set on the stored offset and on the table that it was loaded
 * from: the first write of a commit. No row is changed where another projector has committed the
 * partition meanwhile, or a rebuild has put other tables in the place of these.
 */
export const checkpointMove = (schema: string): Write<{ move: CheckpointMove }> => ({
  text: `update "${schema}".projection_checkpoint set
     offset_next = $4, last_offset = $5, last_hash = $6, window_offset = $7,
     highest_record_ms = $8, records = $9, undecodable_run = $10, undecodable_recent = $11,
     owner = $12, dead_letters_from = $14
   where topic = $1 and partition = $2 and offset_next = $3
     and ($13::oid is null or tableoid = $13)
   returning 1`,
  values: ({ move }) => [
    move.topic,
    move.partition,
    move.expected,
    move.offsetNext,
    move.last.offset,
    move.last.hash,
    move.windowOffset,
    move.highestRecordMs,
    move.records,
    move.undecodableRun,
    `{${move.undecodableRecent.join(',')}}`,
    move.owner,
    move.tableId,
    move.deadLettersFrom,
  ],
});

export async function storeAdmitted(
  client: PoolClient,
  schema: string,
  topic: string,
  partition: number,
  admitted: readonly AdmittedKey[],
  oldestDayKept: number | null,
): Promise<void> {
  if (admitted.length === 0) return;
  await client.query(
    `insert into "${schema}".admitted_key (topic, partition, day, kind, key)
     select $1, $2, * from unnest($3::int4[], $4::text[], $5::text[]) on conflict do nothing`,
    [
      topic,
      partition,
      admitted.map((entry) => entry.day),
      admitted.map((entry) => entry.kind),
      admitted.map((entry) => entry.key),
    ],
  );
  await client.query(
    `delete from "${schema}".admitted_key where topic = $1 and partition = $2 and day < $3`,
    [topic, partition, oldestDayKept ?? 0],
  );
}
