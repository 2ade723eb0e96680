import type { ErrorCode } from '../errors.js';
import type { LogRecord, LogWriter, NewRecord, TopicPartition } from './port.js';

/** A record, or one event of it, on its way to the dead-letter topic. */
export interface DeadLetter {
  offset: number;
  /** Place of the event in its batch; -1 = the record whole. */
  index: number;
  code: ErrorCode;
}

export type ParkLetters = (
  source: TopicPartition,
  records: readonly LogRecord[],
  letters: readonly DeadLetter[],
) => Promise<void>;

/**
 * Appends dead letters before their place is committed: a crash in between repeats them, and
 * nothing is lost. The value is the original's bytes; the headers say where it stood and why.
 * They keep the partition number of their source.
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
        headers: headersOf(source, letter, projectionVersion),
      };
    });
    await log.append(deadLetterTopic, source.partition, parked);
  };
}

function headersOf(
  source: TopicPartition,
  letter: DeadLetter,
  projectionVersion: number,
): Record<string, Buffer> {
  const texts = {
    topic: source.topic,
    partition: source.partition,
    offset: letter.offset,
    index: letter.index,
    code: letter.code,
    projection_version: projectionVersion,
  };
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(String(text))]),
  );
}
