import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { expect, it } from 'vitest';
import { partitionOf } from '../../src/event/partition.js';

it('places every key where the clients of Kafka place it', () => {
  const place = Partitioners.DefaultPartitioner();
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.integer({ min: 1, max: 512 }),
      (key, partitions) => {
        const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
          partitionErrorCode: 0,
          partitionId,
          leader: 0,
          replicas: [0],
          isr: [0],
        }));
        const args = { topic: 't', partitionMetadata, message: { key, value: null } };
        expect(partitionOf(key, partitions)).toBe(place(args));
      },
    ),
    { numRuns: 500 },
  );
});
