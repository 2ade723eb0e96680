import { describe, expect, it } from 'vitest';
import type { LogBatch } from '../../src/log/port.js';
import { LastBatch } from '../../src/roles/last-batch.js';

const batch = (partition: number): LogBatch => ({
  topic: 't',
  partition,
  fetchOffset: 0,
  records: [],
  highWatermark: 1,
});

function lockStep() {
  const told: boolean[] = [];
  const last = new LastBatch({ notify: ({ caughtUp }) => void told.push(caughtUp) });
  /** By partition: lets its batch end; null = it commits nothing and rejects. */
  const ends = new Map<number, (caughtUp: boolean | null) => void>();
  const handlers = last.watched({
    assigned: async () => 0,
    revoked: () => {},
    batch: ({ partition }) =>
      new Promise((resolve, reject) => {
        ends.set(partition, (caughtUp) => {
          if (caughtUp === null) return reject(new Error('no commit'));
          last.notify({ caughtUp });
          resolve(1);
        });
      }),
  });
  const start = (partition: number) => {
    const done = handlers.batch(batch(partition)).catch(() => {});
    return async (caughtUp: boolean | null) => {
      ends.get(partition)!(caughtUp);
      await done;
    };
  };
  return { told, start };
}

describe('a refresher in lock-step', () => {
  it('is told once the last of the batches that are under way has ended', async () => {
    const { told, start } = lockStep();
    const [first, second] = [start(0), start(1)];
    await first(true);
    expect(told).toEqual([]);
    await second(false);
    expect(told).toEqual([true]);
    await start(0)(false);
    expect(told).toEqual([true, false]);
  });

  it('is told of what was committed where the last one fails, and of nothing where nothing was', async () => {
    const { told, start } = lockStep();
    const [first, second] = [start(0), start(1)];
    await first(true);
    await second(null);
    expect(told).toEqual([true]);
    await start(0)(null);
    expect(told).toEqual([true]);
  });
});
