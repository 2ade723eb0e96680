import { createHash } from 'node:crypto';
import { ERRORS, type ErrorCode } from '../errors.js';
import { type EventsAlone, eventsAlone } from '../event/events-alone.js';
import { type Schemas, schemas } from '../event/schemas.js';
import type { LogRecord, LogWriter, NewRecord, TopicPartition } from './port.js';

/** A record, or one event of it, on its way to the dead-letter topic. */
export interface DeadLetter {
  offset: number;
  /** Place of the event in its batch; -1 = the record whole. */
  index: number;
  code: ErrorCode;
  /** One sentence that names field and rule, without any value. */
  reason: string;
}

/** A record of the dead-letter topic. */
export interface StoredLetter extends DeadLetter, TopicPartition {
  projectionVersion: number;
  /** As `valueHash` of the record that it is about. */
  hash: string;
}

/** What an operator said of a parked place: it will not be replayed. */
export interface Discard extends TopicPartition {
  offset: number;
  index: number;
}

/** In the header `code` of a discard, where a letter has its error code. */
export const DISCARDED = 'discarded';

export type ParkLetters = (
  source: TopicPartition,
  records: readonly LogRecord[],
  letters: readonly DeadLetter[],
) => Promise<void>;

/** Half of what Kafka takes at once, and a record with its headers where that is more. */
const APPEND_BYTES_MAX = 524_288;
/** Headers of a letter, and what the log adds to them. */
const LETTER_OVERHEAD_BYTES = 400;

export interface DeadLetterOptions {
  /** What the records may be written by. */
  known?: Schemas;
  appendBytesMax?: number;
}

/**
 * Appends dead letters before their place is committed: a crash in between leaves them to be found
 * by the next assignment, and nothing is lost. The value is the original's bytes, of an event of a
 * batch that event's alone: were it the batch's, each of a thousand bad events would keep all of
 * them. The headers say where it stood and why. They keep the partition number of their source.
 *
 * They go in several appends where they are many: an attempt that ends between two of them leaves
 * some of a record's letters.
 */
export function createDeadLetters(
  log: LogWriter,
  deadLetterTopic: string,
  projectionVersion: number,
  { known = schemas, appendBytesMax = APPEND_BYTES_MAX }: DeadLetterOptions = {},
): ParkLetters {
  return async (source, records, letters) => {
    const byOffset = new Map(records.map((record) => [record.offset, record]));
    let waiting: NewRecord[] = [];
    let bytes = 0;
    const append = async (): Promise<void> => {
      if (waiting.length > 0) await log.append(deadLetterTopic, source.partition, waiting);
      waiting = [];
      bytes = 0;
    };
    let original: Original | null = null;
    for (const letter of letters) {
      const record = byOffset.get(letter.offset)!;
      if (original?.record !== record) original = originalOf(record, known);
      const value = original.valueOf(letter.index);
      const size = (value?.length ?? 0) + LETTER_OVERHEAD_BYTES;
      if (bytes + size > appendBytesMax) await append();
      const headers = headersOf({ ...source, ...letter, projectionVersion, hash: original.hash });
      waiting.push({ key: record.key, value, timestampMs: record.timestampMs, headers });
      bytes += size;
    }
    await append();
  };
}

interface Original {
  record: LogRecord;
  hash: string;
  /** What the letter of one of its places holds. */
  valueOf(index: number): Buffer | null;
}

function originalOf(record: LogRecord, known: Schemas): Original {
  let events: EventsAlone | null | undefined;
  return {
    record,
    hash: valueHash(record.value),
    valueOf(index) {
      if (index < 0) return record.value;
      if (events === undefined) {
        const found = eventsAlone(record.value, known);
        events = found === null || 'failed' in found ? null : found;
      }
      return events?.at(index) ?? record.value;
    },
  };
}

/** Of a record's bytes: SHA-256 in base64, empty where there are none. */
export function valueHash(value: Buffer | null): string {
  return value === null ? '' : createHash('sha256').update(value).digest('base64');
}

/** The record that says that places of one partition will not be replayed. */
export function discardRecord(
  place: Discard,
  projectionVersion: number,
  timestampMs: number,
): NewRecord {
  const headers = headersOf({ ...place, code: DISCARDED, reason: '', projectionVersion, hash: '' });
  return { key: null, value: null, timestampMs, headers };
}

/** What a record of the dead-letter topic says; null where it is not one of ours. */
export function parseLetter({
  headers,
  value,
}: LogRecord): StoredLetter | (Discard & { code: typeof DISCARDED }) | null {
  const text = (name: string): string => headers[name]?.toString() ?? '';
  const number = (name: string): number =>
    /^(-1|\d{1,15})$/.test(text(name)) ? Number(text(name)) : Number.NaN;
  const place = {
    topic: text('topic'),
    partition: number('partition'),
    offset: number('offset'),
    index: number('index'),
  };
  if (place.topic === '' || Number.isNaN(place.partition + place.offset + place.index)) return null;
  const code = text('code');
  if (code === DISCARDED) return { ...place, code };
  if (!Object.hasOwn(ERRORS, code)) return null;
  return {
    ...place,
    code: code as ErrorCode,
    reason: text('reason'),
    projectionVersion: number('projection_version'),
    // Letters of before held the record whole.
    hash: headers['sha256'] === undefined ? valueHash(value) : text('sha256'),
  };
}

function headersOf(letter: {
  topic: string;
  partition: number;
  offset: number;
  index: number;
  code: string;
  reason: string;
  projectionVersion: number;
  hash: string;
}): Record<string, Buffer> {
  const { topic, partition, offset, index, code, reason, projectionVersion, hash } = letter;
  const texts = {
    topic,
    partition,
    offset,
    index,
    code,
    reason,
    projection_version: projectionVersion,
    sha256: hash,
  };
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(String(text))]),
  );
}
