import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RequestLimit } from '../../src/access/request-limit.js';

it('lets a second of the rate in at once, then one an interval', () => {
  const limit = new RequestLimit(4);
  const admitted = (nowMs: number) => limit.admit(nowMs).isAdmitted;
  expect([0, 0, 0, 0, 0].map(admitted)).toEqual([true, true, true, true, false]);
  expect([249, 250, 250, 500].map(admitted)).toEqual([false, true, false, true]);
});

it('says what remains and how long to wait', () => {
  const limit = new RequestLimit(2);
  expect(limit.admit(0)).toEqual({ isAdmitted: true, remaining: 1, waitMs: 0 });
  expect(limit.admit(100)).toEqual({ isAdmitted: true, remaining: 0, waitMs: 400 });
  expect(limit.admit(400)).toEqual({ isAdmitted: false, remaining: 0, waitMs: 100 });
  expect(limit.admit(500)).toMatchObject({ isAdmitted: true });
});

it('I11 never lets in more than the rate and one second of it, however it is asked', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 2000 }),
      (perSecond, gaps) => {
        const limit = new RequestLimit(perSecond);
        let nowMs = 5;
        let admitted = 0;
        for (const gap of gaps) {
          nowMs += gap;
          const { isAdmitted, remaining, waitMs } = limit.admit(nowMs);
          if (isAdmitted) admitted += 1;
          expect(waitMs === 0 || remaining === 0).toBe(true);
          expect(isAdmitted || waitMs > 0).toBe(true);
        }
        expect(admitted).toBeLessThanOrEqual(
          perSecond + Math.ceil(((nowMs - 5) * perSecond) / 1000),
        );
      },
    ),
  );
});
