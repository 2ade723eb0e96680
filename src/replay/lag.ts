import type { Pool } from 'pg';
import type { Log, TopicPartition } from '../log/port.js';

/** How far the projection is behind one partition of the log. */
export interface PartitionLag extends TopicPartition {
  /** Offset of the oldest record that is still there. */
  start: number;
  /** Offset after the newest record. */
  end: number;
  /** Offset that the projection goes on from; null where it never took up the partition. */
  offset_next: number | null;
  /** Offsets that wait to be folded; where the log has gaps, more than there are records. */
  lag_records: number;
  /** Age of the oldest record that waits, by its time in the log; null where none waits. */
  lag_ms: number | null;
  /**
   * Record time from where the window of recent event ids begins to the newest folded record: what
   * is sent again within it counts once, whoever sent it. Null where no id was read yet.
   */
  duplicate_window_seconds: number | null;
}

export interface Lag {
  /** Sum over the partitions. */
  lag_records: number;
  /** The greatest of the partitions; null where nothing waits. */
  lag_ms: number | null;
  /** The least of the partitions; null where no id was read yet. */
  duplicate_window_seconds: number | null;
  partitions: PartitionLag[];
}

export interface LagOptions {
  pool: Pool;
  /** Schema of the projection. */
  schema: string;
  log: Log;
  /** Topics that it folds. */
  topics: readonly string[];
  /** ms since the epoch. */
  nowMs: number;
}

interface Position {
  offset_next: number;
  window_offset: number | null;
  highest_record_ms: number | null;
}

/** What waits in the log, partition by partition: read from the log's ends and the checkpoints. */
export async function lagOf(options: LagOptions): Promise<Lag> {
  const { pool, schema, log, topics, nowMs } = options;
  const positions = await readPositions(pool, schema);
  const partitions: PartitionLag[] = [];
  for (const [topic, count] of await log.partitions(topics)) {
    for (let partition = 0; partition < count; partition++) {
      const place = { topic, partition };
      const position = positions.get(`${topic}/${partition}`) ?? null;
      partitions.push(await partitionLag(log, place, position, nowMs));
    }
  }
  const windows = partitions.map((each) => each.duplicate_window_seconds).filter(isKnown);
  const ages = partitions.map((each) => each.lag_ms).filter(isKnown);
  return {
    lag_records: partitions.reduce((sum, each) => sum + each.lag_records, 0),
    lag_ms: ages.length === 0 ? null : Math.max(...ages),
    duplicate_window_seconds: windows.length === 0 ? null : Math.min(...windows),
    partitions,
  };
}

const isKnown = (value: number | null): value is number => value !== null;

async function readPositions(pool: Pool, schema: string): Promise<Map<string, Position>> {
  const { rows } = await pool.query<Position & TopicPartition>(
    `select topic, partition, offset_next, window_offset, highest_record_ms
     from "${schema}".projection_checkpoint`,
  );
  return new Map(rows.map((row) => [`${row.topic}/${row.partition}`, row]));
}

async function partitionLag(
  log: Log,
  place: TopicPartition,
  position: Position | null,
  nowMs: number,
): Promise<PartitionLag> {
  const { topic, partition } = place;
  const { start, end } = await log.bounds(topic, partition);
  const next = Math.max(start, position?.offset_next ?? start);
  const waitingSinceMs = next < end ? await recordTime(log, place, next) : null;
  return {
    topic,
    partition,
    start,
    end,
    offset_next: position?.offset_next ?? null,
    lag_records: Math.max(0, end - next),
    lag_ms: waitingSinceMs === null ? null : Math.max(0, nowMs - waitingSinceMs),
    duplicate_window_seconds: await windowSeconds(log, place, position),
  };
}

async function windowSeconds(
  log: Log,
  place: TopicPartition,
  position: Position | null,
): Promise<number | null> {
  if (position === null || position.window_offset === null) return null;
  const fromMs = await recordTime(log, place, position.window_offset);
  const toMs = position.highest_record_ms;
  return fromMs === null || toMs === null ? null : Math.max(0, Math.floor((toMs - fromMs) / 1000));
}

/** Time of the first record at or after the offset, ms since the epoch; null where there is none. */
async function recordTime(
  log: Log,
  { topic, partition }: TopicPartition,
  offset: number,
): Promise<number | null> {
  const { records } = await log.read(topic, partition, offset, 1);
  return records[0]?.timestampMs ?? null;
}
