import { recordTimeMs } from '../event/record-time.js';
import type { LogBatch, LogReader, LogRecord, TopicPartition } from '../log/port.js';

const MS_A_DAY = 86_400_000;

/** One partition from its first record on, in batches that end with a day of record time. */
export class PartitionReader {
  readonly place: TopicPartition;
  readonly #log: LogReader;
  readonly #bytesMax: number;
  /** Read, and not handed out yet. */
  #records: readonly LogRecord[] = [];
  #readNext = 0;
  #highWatermark = 0;
  /** Record time may run back: the day does not. */
  #day = 0;

  constructor(log: LogReader, place: TopicPartition, bytesMax: number) {
    this.#log = log;
    this.place = place;
    this.#bytesMax = bytesMax;
  }

  /** The day of the next record below `target`, since the epoch; null where there is none. */
  async nextDay(target: number): Promise<number | null> {
    if (this.#records.length === 0) await this.#read(target);
    const first = this.#records[0];
    return first === undefined || first.offset >= target ? null : this.#dayOf(first);
  }

  /** The records up to the day's end and below `target` that are in memory. */
  async take(day: number, target: number): Promise<LogBatch | null> {
    const next = await this.nextDay(target);
    if (next === null || next > day) return null;
    const fetchOffset = this.#records[0]!.offset;
    let taken = 0;
    for (const record of this.#records) {
      if (record.offset >= target || this.#dayOf(record) > day) break;
      taken += 1;
    }
    this.#day = day;
    const records = this.#records.slice(0, taken);
    this.#records = this.#records.slice(taken);
    return { ...this.place, fetchOffset, records, highWatermark: this.#highWatermark };
  }

  async #read(target: number): Promise<void> {
    if (this.#readNext >= target) return;
    const { topic, partition } = this.place;
    const batch = await this.#log.read(topic, partition, this.#readNext, this.#bytesMax);
    this.#records = batch.records;
    this.#highWatermark = batch.highWatermark;
    this.#readNext = (batch.records.at(-1)?.offset ?? this.#readNext - 1) + 1;
  }

  #dayOf(record: LogRecord): number {
    return Math.max(this.#day, Math.floor(recordTimeMs(record.timestampMs) / MS_A_DAY));
  }
}
