import type { TopicPartition } from './port.js';

export interface Member {
  memberId: string;
  topics: readonly string[];
}

/**
 * Who reads what: the same for everyone who knows the same members, in whatever order. Each topic
 * is dealt out among the members that want it, and the next topic goes on where the last one
 * ended, so that several topics of one partition do not all fall to the first member.
 */
export function assignPartitions(
  members: readonly Member[],
  partitions: ReadonlyMap<string, number>,
): Map<string, TopicPartition[]> {
  const sorted = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const assigned = new Map<string, TopicPartition[]>(sorted.map(({ memberId }) => [memberId, []]));
  let turn = 0;
  for (const topic of [...partitions.keys()].sort()) {
    const readers = sorted.filter((member) => member.topics.includes(topic));
    if (readers.length === 0) continue;
    for (let partition = 0; partition < partitions.get(topic)!; partition += 1) {
      assigned.get(readers[turn % readers.length]!.memberId)!.push({ topic, partition });
      turn += 1;
    }
  }
  return assigned;
}

/** As claims are written; topic names hold no slash. */
export function claimOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
