import type { Bounds, Log, TopicPartition } from '../log/port.js';
import type { CommandContext } from './context.js';

/** How much a partition holds; times are those of its records, null where it has none. */
export interface PartitionStats extends TopicPartition, Bounds {
  /** Offsets that are held: gaps, which Kafka may have, count as well. */
  records: number;
  first_timestamp_ms: number | null;
  last_timestamp_ms: number | null;
}

/** The record is the first of what a read brings, whatever its size. */
const READ_BYTES = 1;

/** `airouter topic stats TOPIC`: what its partitions hold, from their ends alone. */
export async function stats(
  context: CommandContext,
  log: Pick<Log, 'bounds' | 'read'>,
  places: readonly TopicPartition[],
): Promise<void> {
  const partitions: PartitionStats[] = [];
  for (const place of places) partitions.push(await statsOf(log, place));
  const records = partitions.reduce((sum, each) => sum + each.records, 0);
  if (context.json) return context.answer({ records, partitions });
  context.print(['partition', 'start', 'end', 'records', 'first', 'last'].join('\t'));
  for (const each of partitions) {
    const times = [each.first_timestamp_ms, each.last_timestamp_ms].map(timeText);
    const cells = [each.start, each.end, each.records, ...times];
    context.print(`${each.topic}/${each.partition}\t${cells.join('\t')}`);
  }
  context.print(`records: ${records}`);
}

async function statsOf(
  log: Pick<Log, 'bounds' | 'read'>,
  { topic, partition }: TopicPartition,
): Promise<PartitionStats> {
  const { start, end } = await log.bounds(topic, partition);
  const timeAt = async (offset: number): Promise<number | null> => {
    if (start >= end) return null;
    const { records } = await log.read(topic, partition, offset, READ_BYTES);
    return records[0]?.timestampMs ?? null;
  };
  return {
    topic,
    partition,
    start,
    end,
    records: end - start,
    first_timestamp_ms: await timeAt(start),
    last_timestamp_ms: await timeAt(end - 1),
  };
}

const timeText = (ms: number | null): string => (ms === null ? '-' : new Date(ms).toISOString());
