import type { Headers } from '../log/port.js';

/** The place that a replayed dead letter was parked at. */
export interface Origin {
  topic: string;
  partition: number;
  offset: number;
  /** Place of the event in its batch; -1 = the record whole. */
  index: number;
}

/** A place within a partition. */
export const placeText = (offset: number, index: number): string => `${offset}/${index}`;

/** Header of a replayed copy: `topic/partition/offset/index`. */
export const ORIGIN_HEADER = 'origin';

export const originText = ({ topic, partition, offset, index }: Origin): string =>
  `${topic}/${partition}/${offset}/${index}`;

/** Null for what is no copy of a dead letter. */
export function originOf(headers: Headers): Origin | null {
  const text = headers[ORIGIN_HEADER]?.toString();
  return text === undefined ? null : parseOrigin(text);
}

/** The origin that a header names; a text that is none names a place that nobody parked. */
export function parseOrigin(text: string): Origin {
  const match = /^([^/]+)\/(\d{1,9})\/(\d{1,15})\/(-1|\d{1,9})$/.exec(text);
  if (match === null) return { topic: '', partition: 0, offset: 0, index: 0 };
  return {
    topic: match[1]!,
    partition: Number(match[2]),
    offset: Number(match[3]),
    index: Number(match[4]),
  };
}
