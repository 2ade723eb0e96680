import { decode } from '../../src/event/decode.js';
import type { DecodedRecord } from '../../src/event/outcome.js';
import { formatUuid } from '../../src/event/uuid.js';
import { foldBatch } from '../../src/fold/fold-batch.js';
import { NEW_STATE, partitionState } from '../../src/fold/partition-state.js';
import type { LogWriter, NewRecord } from '../../src/log/port.js';
import { START_MS } from '../fold/outcomes.js';

/** What becomes of an append: `lost` rejects before it was written, `unsaid` after it was. */
export type Answer = 'ack' | 'lost' | 'unsaid' | Error;

/** A log in memory that answers as it is told, a turn or more later, and knows the port's rules. */
export class FakeLog implements LogWriter {
  readonly records = new Map<string, NewRecord[]>();
  /** How the next append ends; may take its time. */
  answer: (topic: string, partition: number) => Answer | Promise<Answer> = () => 'ack';
  appends = 0;
  /** What the port forbids and was done all the same. */
  readonly breaches: string[] = [];
  readonly #outstanding = new Set<string>();
  /** By partition: the bytes that are in doubt. */
  readonly #inDoubt = new Map<string, string>();

  async append(topic: string, partition: number, records: readonly NewRecord[]): Promise<number> {
    const place = `${topic}/${partition}`;
    this.appends += 1;
    if (this.#outstanding.has(place)) this.breaches.push(`two appends at once to ${place}`);
    const bytes = bytesOf(records);
    const doubtful = this.#inDoubt.get(place);
    if (doubtful !== undefined && doubtful !== bytes)
      this.breaches.push(`${place} went on in doubt`);
    this.#outstanding.add(place);
    await new Promise((resolve) => setImmediate(resolve));
    const answer = await this.answer(topic, partition);
    this.#outstanding.delete(place);
    if (answer === 'lost' || answer === 'unsaid') this.#inDoubt.set(place, bytes);
    else this.#inDoubt.delete(place);
    const log = this.records.get(place) ?? [];
    if (answer === 'ack' || answer === 'unsaid') this.records.set(place, [...log, ...records]);
    if (answer !== 'ack') throw answer instanceof Error ? answer : new Error('the log is away');
    return log.length;
  }

  /** Decoded records of a topic, in order within each partition. */
  decoded(topic: string): DecodedRecord[] {
    return [...this.#partitionsOf(topic)].flatMap(([, records]) => records.map(decodedOf));
  }

  /** Ids of all outcomes in the log, as often as they are in it. */
  eventIds(topic: string): string[] {
    return this.decoded(topic).flatMap((record) =>
      record.type === 'OutcomeBatch'
        ? record.value.outcomes.map((outcome) => formatUuid(outcome.event_id))
        : [],
    );
  }

  /** What the fold makes of the topic: events that count, and repeats that do not. */
  folded(topic: string): { applied: number; duplicate: number; deadLettered: number } {
    const sum = { applied: 0, duplicate: 0, deadLettered: 0 };
    for (const [partition, records] of this.#partitionsOf(topic)) {
      const state = partitionState(topic, partition, 10_000, NEW_STATE);
      const batch = records.map((record, offset) => ({
        offset,
        timestampMs: START_MS,
        decoded: decodedOf(record),
      }));
      const settings = { tickRetentionMs: 7_200_000, minuteRetentionMs: 30 * 86_400_000 };
      const { counts } = foldBatch(state, batch, settings);
      sum.applied += counts.applied;
      sum.duplicate += counts.duplicate;
      sum.deadLettered += counts.deadLettered;
    }
    return sum;
  }

  *#partitionsOf(topic: string): Generator<[number, NewRecord[]]> {
    for (const [place, records] of this.records) {
      const slash = place.lastIndexOf('/');
      if (place.slice(0, slash) === topic) yield [Number(place.slice(slash + 1)), records];
    }
  }
}

function decodedOf({ value, headers }: NewRecord): DecodedRecord {
  const decoded = decode(value, headers ?? {});
  if ('failed' in decoded) throw new Error(decoded.reason);
  return decoded;
}

function bytesOf(records: readonly NewRecord[]): string {
  return records.map(({ key, value }) => `${key?.toString()} ${value?.toString('hex')}`).join('\n');
}
