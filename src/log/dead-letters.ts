import { ERRORS, type ErrorCode } from '../errors.js';
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

/**
 * Appends dead letters before their place is committed: a crash in between leaves them to be found
 * by the next assignment, and nothing is lost. The value is the original's bytes; the headers say
 * where it stood and why. They keep the partition number of their source.
 */
export function createDeadLetters(
  log: LogWriter,
  deadLetterTopic: string,
  projectionVersion: number,
): ParkLetters {
  return async (source, records, letters) => {
    if (letters.length === 0) return;
    const byOffset = new Map(records.map((record) => [record.offset, record]));
    const parked = letters.map((letter): NewRecord => {
      const record = byOffset.get(letter.offset)!;
      return {
        key: record.key,
        value: record.value,
        timestampMs: record.timestampMs,
        headers: headersOf({ ...source, ...letter, projectionVersion }),
      };
    });
    await log.append(deadLetterTopic, source.partition, parked);
  };
}

/** The record that says that places of one partition will not be replayed. */
export function discardRecord(
  place: Discard,
  projectionVersion: number,
  timestampMs: number,
): NewRecord {
  const headers = headersOf({ ...place, code: DISCARDED, reason: '', projectionVersion });
  return { key: null, value: null, timestampMs, headers };
}

/** What a record of the dead-letter topic says; null where it is not one of ours. */
export function parseLetter({
  headers,
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
}): Record<string, Buffer> {
  const { topic, partition, offset, index, code, reason, projectionVersion } = letter;
  const texts = {
    topic,
    partition,
    offset,
    index,
    code,
    reason,
    projection_version: projectionVersion,
  };
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(String(text))]),
  );
}
