import type { LogBatch, LogRecord, NewRecord } from '../../src/log/port.js';

/** One log in memory, every partition from offset 0 on, without any fault. */
export class MemoryLog {
  /** Reads so far, as `topic/partition from offset`. */
  readonly reads: string[] = [];
  /** Records of one read at most. */
  recordsMax = 100;
  readonly #partitions = new Map<string, LogRecord[]>();

  records(topic: string, partition: number): LogRecord[] {
    const name = `${topic}/${partition}`;
    const records = this.#partitions.get(name) ?? [];
    this.#partitions.set(name, records);
    return records;
  }

  async append(topic: string, partition: number, added: readonly NewRecord[]): Promise<number> {
    const records = this.records(topic, partition);
    const first = records.length;
    for (const { key, value, headers = {}, timestampMs = 0 } of added) {
      records.push({ offset: records.length, timestampMs, key, value, headers });
    }
    return first;
  }

  async bounds(topic: string, partition: number): Promise<{ start: number; end: number }> {
    return { start: 0, end: this.records(topic, partition).length };
  }

  async read(topic: string, partition: number, offset: number): Promise<LogBatch> {
    this.reads.push(`${topic}/${partition} from ${offset}`);
    const all = this.records(topic, partition);
    const records = all.slice(offset, offset + this.recordsMax);
    return { topic, partition, fetchOffset: offset, records, highWatermark: all.length };
  }

  /** The topic is made anew. */
  empty(topic: string, partition: number): void {
    this.#partitions.delete(`${topic}/${partition}`);
  }
}
