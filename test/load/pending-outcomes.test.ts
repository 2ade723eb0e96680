import { expect, it } from 'vitest';
import { PendingOutcomes } from '../../src/load/freshness.js';
import { preciseNowMs } from '../../src/load/schedule.js';

const batch = (partition: number, offset: number, outcomes: number, ageMs = 0) => ({
  partition,
  offset,
  acknowledgedMs: preciseNowMs(),
  dueMs: Array.from({ length: outcomes }, () => preciseNowMs() - ageMs),
});

it('an outcome is seen once the snapshot is above its offset, in its own partition', () => {
  const pending = new PendingOutcomes();
  pending.add(batch(0, 7, 3));
  pending.add(batch(0, 8, 2));
  pending.add(batch(1, 7, 4));
  pending.see([7, 8]);
  expect(pending.report()).toMatchObject({ seen: 4, unseen: 5 });
  pending.see([9]);
  expect(pending.report()).toMatchObject({ seen: 9, unseen: 0 });
  expect(pending.isWaiting).toBe(false);
});

it('its freshness counts from when it was due', () => {
  const pending = new PendingOutcomes();
  pending.add(batch(0, 0, 1, 500));
  pending.see([1]);
  expect(pending.report().max).toBeGreaterThanOrEqual(500);
});

it('a snapshot that came before the acknowledgement has seen it', () => {
  const pending = new PendingOutcomes();
  pending.see([5]);
  pending.add(batch(0, 4, 2));
  expect(pending.report()).toMatchObject({ seen: 2, unseen: 0 });
});

it('I11 what waits is bounded; what is beyond counts as unseen', () => {
  const pending = new PendingOutcomes();
  for (let offset = 0; offset < 100_100; offset++) pending.add(batch(0, offset, 1));
  pending.see([200_000]);
  expect(pending.report()).toMatchObject({ seen: 100_000, unseen: 100 });
});
