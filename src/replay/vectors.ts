import type { Vector } from '../hotkeys/port.js';
import type { LogAdmin, TopicPartition } from '../log/port.js';

export interface Place extends TopicPartition {
  offset: number;
}

export const placesOf = (vector: Vector): Place[] =>
  Object.entries(vector).flatMap(([topic, offsets]) =>
    offsets.map((offset, partition) => ({ topic, partition, offset })),
  );

export const offsetOf = (vector: Vector, { topic, partition }: TopicPartition): number =>
  vector[topic]?.[partition] ?? 0;

/** The greater offset of each partition. */
export function greatest(a: Vector, b: Vector): Vector {
  const result: Record<string, number[]> = {};
  for (const topic of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const partitions = Math.max(a[topic]?.length ?? 0, b[topic]?.length ?? 0);
    result[topic] = Array.from({ length: partitions }, (_, partition) =>
      Math.max(a[topic]?.[partition] ?? 0, b[topic]?.[partition] ?? 0),
    );
  }
  return result;
}

/** Offsets below which records of each vector differ in number: how far one is from the other. */
export const distance = (from: Vector, to: Vector): number =>
  placesOf(to).reduce((sum, place) => sum + Math.max(0, place.offset - offsetOf(from, place)), 0);

/** The end of each partition, as the log is now. */
export async function endOfLog(log: LogAdmin, topics: readonly string[]): Promise<Vector> {
  const vector: Record<string, number[]> = {};
  for (const [topic, partitions] of await log.partitions(topics)) {
    const ends = Array.from({ length: partitions }, (_, partition) => log.bounds(topic, partition));
    vector[topic] = (await Promise.all(ends)).map(({ end }) => end);
  }
  return vector;
}
