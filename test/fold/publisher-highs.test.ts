import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  HIGH_LIFETIME_MS,
  type PublisherHigh,
  PublisherHighs,
} from '../../src/fold/publisher-highs.js';

const anyBatches = fc.array(
  fc.array(
    fc.record({
      publisher: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      sequence: fc.integer({ min: 0, max: 5 }),
      afterMs: fc.constantFrom(0, 1, HIGH_LIFETIME_MS - 1, HIGH_LIFETIME_MS + 1),
    }),
    { maxLength: 5 },
  ),
  { maxLength: 12 },
);

describe('the highs of publishers', () => {
  it('I2 I11 judge alike however few of them memory holds, and hold no more between two batches', () => {
    fc.assert(
      fc.property(anyBatches, fc.integer({ min: 0, max: 3 }), (batches, kept) => {
        const stored = new Map<string, PublisherHigh>();
        const some = new PublisherHighs(kept);
        const all = new PublisherHighs();
        let atMs = 1;
        for (const batch of batches) {
          const absent = some.absent(new Set(batch.map(({ publisher }) => publisher)));
          some.recall(absent.map((each) => stored.get(each)).filter((high) => high !== undefined));
          for (const { publisher, sequence, afterMs } of batch) {
            atMs += afterMs;
            expect(some.advance(publisher, sequence, atMs, atMs)).toBe(
              all.advance(publisher, sequence, atMs, atMs),
            );
          }
          const changed = some.takeChanged();
          expect(changed).toEqual(all.takeChanged());
          for (const high of changed) stored.set(high.publisher, high);
          expect(some.size).toBeLessThanOrEqual(kept);
        }
      }),
    );
  });

  it('keep those that were used last', () => {
    const highs = new PublisherHighs(2);
    for (const publisher of ['a', 'b', 'a', 'c']) highs.advance(publisher, 1, 0, 0);
    highs.takeChanged();
    expect(highs.absent(['a', 'b', 'c'])).toEqual(['b']);
  });
});
