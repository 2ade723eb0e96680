import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignPartitions, claimOf } from '../../src/log/embedded-assignment.js';

const topics = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1 });
const members = fc.uniqueArray(fc.record({ memberId: fc.uuid(), topics }), {
  selector: ({ memberId }) => memberId,
  minLength: 1,
  maxLength: 8,
});
const partitions = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.integer({ min: 1, max: 12 }))
  .map((counts) => new Map(Object.entries(counts)));

describe('assignPartitions', () => {
  it('gives each partition that anyone wants to exactly one who wants it (I5)', () => {
    fc.assert(
      fc.property(members, partitions, (group, counts) => {
        const assigned = assignPartitions(group, counts);
        for (const { memberId, topics: wanted } of group) {
          for (const { topic } of assigned.get(memberId)!) expect(wanted).toContain(topic);
        }
        const claims = [...assigned.values()].flat().map(claimOf).sort();
        const expected = [...counts]
          .filter(([topic]) => group.some((member) => member.topics.some((one) => one === topic)))
          .flatMap(([topic, count]) =>
            Array.from({ length: count }, (_, partition) => claimOf({ topic, partition })),
          );
        expect(claims).toEqual(expected.sort());
      }),
    );
  });

  it('is the same for all members, in whatever order they know each other', () => {
    fc.assert(
      fc.property(members, partitions, fc.nat(), (group, counts, turn) => {
        const turned = [
          ...group.slice(turn % group.length),
          ...group.slice(0, turn % group.length),
        ];
        const other = new Map([...counts].reverse());
        expect(assignPartitions(turned, other)).toEqual(assignPartitions(group, counts));
      }),
    );
  });

  it('shares evenly among members that want the same', () => {
    fc.assert(
      fc.property(members, partitions, (group, counts) => {
        const all = group.map(({ memberId }) => ({ memberId, topics: [...counts.keys()] }));
        const sizes = [...assignPartitions(all, counts).values()].map((list) => list.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
