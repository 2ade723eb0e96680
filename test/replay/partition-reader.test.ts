import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LogReader, LogRecord } from '../../src/log/port.js';
import { PartitionReader } from '../../src/replay/partition-reader.js';

const DAY_MS = 86_400_000;
const PLACE = { topic: 'outcomes', partition: 3 };

/** Offsets with gaps, times that run back. */
const anyRecords: fc.Arbitrary<LogRecord[]> = fc
  .array(fc.record({ gap: fc.integer({ min: 1, max: 3 }), day: fc.integer({ min: 0, max: 4 }) }))
  .map((steps) => {
    let offset = -1;
    return steps.map(({ gap, day }) => {
      offset += gap;
      return { offset, timestampMs: day * DAY_MS + offset, key: null, value: null, headers: {} };
    });
  });

/** `maxBytes` stands for so many records. */
function logOf(records: readonly LogRecord[]): LogReader {
  return {
    read: async (topic, partition, offset, maxBytes) => {
      const from = records.filter((record) => record.offset >= offset);
      const end = (records.at(-1)?.offset ?? -1) + 1;
      const batch = { topic, partition, fetchOffset: offset, highWatermark: end };
      return { ...batch, records: from.slice(0, maxBytes) };
    },
  };
}

it('I6 hands out every record below the target once, in order, day by day', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyRecords,
      fc.integer({ min: 1, max: 5 }),
      fc.nat({ max: 60 }),
      async (records, size, target) => {
        const reader = new PartitionReader(logOf(records), PLACE, size);
        const taken: LogRecord[] = [];
        let dayBefore = -1;
        for (const end of [Math.floor(target / 2), target]) {
          for (;;) {
            const day = await reader.nextDay(end);
            if (day === null) break;
            expect(day).toBeGreaterThanOrEqual(dayBefore);
            dayBefore = day;
            const batch = (await reader.take(day, end))!;
            expect(batch.fetchOffset).toBe(batch.records[0]!.offset);
            for (const { timestampMs } of batch.records) {
              expect(Math.floor(timestampMs / DAY_MS)).toBeLessThanOrEqual(day);
            }
            taken.push(...batch.records);
          }
        }
        expect(taken).toEqual(records.filter((record) => record.offset < target));
      },
    ),
  );
});
