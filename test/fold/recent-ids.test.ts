import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentIds } from '../../src/fold/recent-ids.js';

const idOf = (n: number): Uint8Array => {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(12, n);
  return id;
};

describe('the window of recent ids', () => {
  it('I2 holds exactly the last ids, whatever repeats among them', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 200 }), (sequence) => {
        const capacity = 16;
        const window = new RecentIds(capacity);
        const added: number[] = [];
        for (const n of sequence) {
          expect(window.has(idOf(n))).toBe(added.slice(-capacity).includes(n));
          window.add(idOf(n), added.length);
          added.push(n);
          expect(window.oldestOffset()).toBe(Math.max(0, added.length - capacity));
        }
      }),
    );
  });

  it('has no oldest offset while it is empty', () => {
    expect(new RecentIds(4).oldestOffset()).toBeNull();
  });
});
