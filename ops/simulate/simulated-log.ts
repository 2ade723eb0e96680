import { decode } from '../../src/event/decode.js';
import type {
  Bounds,
  LogAdmin,
  LogBatch,
  LogReader,
  LogRecord,
  LogWriter,
  NewRecord,
  TopicPartition,
} from '../../src/log/port.js';
import { placeName, TOPICS } from './layout.js';
import type { Call, Scheduler } from './scheduler.js';

export type Decoded = ReturnType<typeof decode>;

export interface StoredRecord extends LogRecord {
  decoded: Decoded;
}

/** What a process has of the log: each call is a request of its own. */
export type LogConnection = LogWriter & LogReader & Pick<LogAdmin, 'bounds'>;

interface Partition {
  records: StoredRecord[];
  /** Offset after the newest record. */
  end: number;
}

/** Most records of one read: batches are cut anywhere. */
const READ_RECORDS_MAX = 6;
const GAP_SHARE = 0.1;

/** The log in memory: what was appended stays; offsets rise, with gaps; times may run back. */
export class SimulatedLog {
  /** How far the broker's clock is from the true time. */
  driftMs = 0;
  /** Ids of all outcomes that are in the log, as hex. */
  readonly outcomeIds = new Set<string>();
  readonly #scheduler: Scheduler;
  readonly #partitions = new Map<string, Partition>();
  readonly #listeners = new Set<(place: TopicPartition) => void>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  connect(call: Call): LogConnection {
    return {
      append: (topic, partition, records) =>
        call(`append ${topic}/${partition} ${records.length}`, true, () =>
          this.append(topic, partition, records),
        ),
      read: (topic, partition, offset) =>
        call(`read ${topic}/${partition} from ${offset}`, false, () =>
          this.read(topic, partition, offset, 1 + this.#scheduler.random.below(READ_RECORDS_MAX)),
        ),
      bounds: (topic, partition) =>
        call(`bounds ${topic}/${partition}`, false, () => this.bounds(topic, partition)),
    };
  }

  /** Told of each append; answers how to stop it. */
  listen(listener: (place: TopicPartition) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  append(topic: string, partition: number, records: readonly NewRecord[]): number {
    const place = placeName({ topic, partition });
    const stored = this.#partition(place);
    const { random, nowMs } = this.#scheduler;
    if (random.chance(GAP_SHARE)) stored.end += 1;
    const first = stored.end;
    for (const { key, value, headers = {} } of records) {
      const decoded = decode(value, headers);
      const timestampMs = nowMs + this.driftMs;
      stored.records.push({ offset: stored.end, timestampMs, key, value, headers, decoded });
      stored.end += 1;
      if (topic === TOPICS.outcomes) this.#rememberIds(decoded);
    }
    for (const listener of this.#listeners) listener({ topic, partition });
    return first;
  }

  read(topic: string, partition: number, offset: number, recordsMax: number): LogBatch {
    const { records, end } = this.#partition(placeName({ topic, partition }));
    const from = firstAtOrAbove(records, offset);
    const batch = records.slice(from, from + recordsMax);
    return { topic, partition, fetchOffset: offset, records: batch, highWatermark: end };
  }

  bounds(topic: string, partition: number): Bounds {
    return { start: 0, end: this.#partition(placeName({ topic, partition })).end };
  }

  /** All records of a partition with offsets of [from, to). */
  records(place: string, from = 0, to = Number.POSITIVE_INFINITY): readonly StoredRecord[] {
    const { records } = this.#partition(place);
    return records.slice(firstAtOrAbove(records, from), firstAtOrAbove(records, to));
  }

  #partition(place: string): Partition {
    let partition = this.#partitions.get(place);
    if (partition === undefined) {
      partition = { records: [], end: 0 };
      this.#partitions.set(place, partition);
    }
    return partition;
  }

  #rememberIds(decoded: Decoded): void {
    if ('failed' in decoded || decoded.type !== 'OutcomeBatch') return;
    for (const { event_id } of decoded.value.outcomes) this.outcomeIds.add(idText(event_id));
  }
}

export function idText(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.length).toString('hex');
}

function firstAtOrAbove(records: readonly StoredRecord[], offset: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (records[middle]!.offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
