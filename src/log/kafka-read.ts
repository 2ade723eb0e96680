import { AiRouterError } from '../errors.js';
import { EARLIEST, type Fetched, type KafkaPartition, LATEST } from './kafka-partition.js';
import type { Bounds, LogBatch, LogRecord, TopicPartition } from './port.js';

/** How long a broker holds a request of a follower that has nothing new. */
const FOLLOW_WAIT_MS = 500;

/** What is there now: the first records from `offset` on, none at the end. */
export async function readOnce(
  source: KafkaPartition,
  place: TopicPartition,
  offset: number,
  maxBytes: number,
): Promise<LogBatch> {
  for (let offsetNext = offset; ; ) {
    const fetched = await source.fetch(offsetNext, maxBytes, 0);
    if (fetched === null) return outside(source, place, offset);
    // Only invisible records: what a reader sees may stand behind them.
    if (fetched.records.length > 0 || fetched.offsetNext === offsetNext) {
      return batchOf(place, offset, fetched);
    }
    offsetNext = fetched.offsetNext;
  }
}

/**
 * Waits for records; `records` is empty only once the signal is given. `log_recreated` where the
 * log ends below `offset`: it lost what was read from it.
 */
export async function readNext(
  source: KafkaPartition,
  place: TopicPartition,
  offset: number,
  maxBytes: number,
  signal: AbortSignal,
): Promise<LogBatch> {
  try {
    for (let offsetNext = offset; !signal.aborted; ) {
      const fetched = await source.fetch(offsetNext, maxBytes, FOLLOW_WAIT_MS);
      if (fetched === null) {
        const { highWatermark: end } = await outside(source, place, offset);
        if (end < offset) throw recreated(place, offset, end);
      } else if (fetched.records.length > 0) {
        return batchOf(place, offset, fetched);
      } else {
        offsetNext = fetched.offsetNext;
      }
    }
  } catch (error) {
    // The source was closed because the signal was given.
    if (!signal.aborted) throw error;
  }
  return { ...place, fetchOffset: offset, records: [], highWatermark: offset };
}

export async function boundsOf(source: KafkaPartition): Promise<Bounds> {
  const [start, end] = [await source.offsetAt(EARLIEST), await source.offsetAt(LATEST)];
  return { start: start ?? 0, end: end ?? 0 };
}

/** An offset outside of the log: below it is an error, above its end there is nothing. */
async function outside(
  source: KafkaPartition,
  place: TopicPartition,
  offset: number,
): Promise<LogBatch> {
  const { start, end } = await boundsOf(source);
  if (offset < start) {
    throw new AiRouterError(
      'log_truncated',
      `${place.topic}/${place.partition} starts at offset ${start}; offset ${offset} was asked for.`,
    );
  }
  return { ...place, fetchOffset: offset, records: [], highWatermark: end };
}

/** Where only invisible records stand behind the last visible one, that one is the newest. */
function batchOf(place: TopicPartition, fetchOffset: number, fetched: Fetched): LogBatch {
  const { records, offsetNext, highWatermark } = fetched;
  const seenTo = lastOffset(records, fetchOffset - 1) + 1;
  return {
    topic: place.topic,
    partition: place.partition,
    fetchOffset,
    records,
    highWatermark: offsetNext >= highWatermark ? seenTo : highWatermark,
  };
}

function lastOffset(records: readonly LogRecord[], none: number): number {
  return records.at(-1)?.offset ?? none;
}

function recreated({ topic, partition }: TopicPartition, offset: number, end: number) {
  return new AiRouterError(
    'log_recreated',
    `${topic}/${partition} ends at offset ${end}, below offset ${offset}, where reading stood: ` +
      'the topic was made anew, or lost records',
  );
}
