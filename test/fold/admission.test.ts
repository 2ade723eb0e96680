import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Admission } from '../../src/fold/admission.js';

const DAY = 86_400_000;

describe('the admission of keys', () => {
  it('admits no more than the limit of a kind and day', () => {
    const admission = new Admission(3);
    const admitted = ['a', 'b', 'c', 'd', 'e'].filter((key) =>
      admission.admits('offering', key, 0),
    );
    expect(admitted).toEqual(['a', 'b', 'c']);
    expect(admission.admits('usage', 'x', 0)).toBe(true);
  });

  it("keeps yesterday's keys their place before new ones", () => {
    const admission = new Admission(3);
    for (const key of ['a', 'b']) admission.admits('offering', key, 0);
    expect(admission.admits('offering', 'new', DAY)).toBe(true);
    expect(admission.admits('offering', 'newer', DAY)).toBe(false);
    expect(admission.admits('offering', 'b', DAY)).toBe(true);
    expect(admission.admits('offering', 'a', DAY)).toBe(true);
  });

  it('gives places of keys that were not seen for a day to new ones', () => {
    const admission = new Admission(2);
    for (const key of ['a', 'b']) admission.admits('offering', key, 0);
    admission.admits('offering', 'a', DAY);
    expect(admission.admits('offering', 'c', 2 * DAY)).toBe(true);
    expect(admission.admits('offering', 'd', 2 * DAY)).toBe(false);
  });

  it('I4 goes on from what was stored as if it had never stopped', () => {
    const step = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      day: fc.integer({ min: 0, max: 4 }),
      restart: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const whole = new Admission(3);
        let restarted = new Admission(3);
        let stored: ReturnType<Admission['takeAdmitted']> = [];
        for (const { key, day, restart } of steps) {
          expect(restarted.admits('offering', key, day * DAY)).toBe(
            whole.admits('offering', key, day * DAY),
          );
          stored.push(...restarted.takeAdmitted());
          const oldest = restarted.oldestDayKept()!;
          stored = stored.filter((entry) => entry.day >= oldest);
          if (restart) restarted = new Admission(3, stored);
        }
      }),
    );
  });
});
