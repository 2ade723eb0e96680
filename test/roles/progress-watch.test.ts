import { describe, expect, it } from 'vitest';
import { AiRouterError } from '../../src/errors.js';
import type { ConsumerHandlers, LogBatch, TopicPartition } from '../../src/log/port.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { ProgressWatch } from '../../src/roles/progress-watch.js';

const WATCHDOG_MS = 1_000;
const place: TopicPartition = { topic: 't', partition: 0 };

/** A watch over one partition of a log that ends where the test says, at a clock in its hand. */
function watching(handlers: Partial<ConsumerHandlers> = {}) {
  const log = { end: 5 };
  let nowMs = 0;
  const metrics = createMetrics();
  const watch = new ProgressWatch({
    log: { bounds: async () => ({ start: 0, end: log.end }) },
    metrics,
    watchdogMs: WATCHDOG_MS,
    nowMs: () => nowMs,
  });
  const watched = watch.watched({
    assigned: async () => 0,
    batch: async (batch) => batch.fetchOffset + 1,
    revoked: () => {},
    ...handlers,
  });
  return {
    watch,
    watched,
    log,
    pass: (ms: number) => {
      nowMs += ms;
    },
    gaugeOf: async (key: 'lagRecords' | 'stoppedPartitions') =>
      (await metrics.gauge(key).get()).values.map(({ value }) => value),
  };
}

const batchAt = (offset: number): LogBatch => ({
  ...place,
  fetchOffset: offset,
  records: [],
  highWatermark: 5,
});

describe('the watch over a consumer', () => {
  it('I1 I9 finds a partition stuck that is behind and gives no sign of life', async () => {
    const { watch, watched, pass, gaugeOf } = watching();
    await watched.assigned(place);
    pass(WATCHDOG_MS);
    await watch.look();
    expect(watch.stuck).toEqual([]);
    pass(1);
    await watch.look();
    expect(watch.stuck).toEqual([place]);
    expect(await gaugeOf('lagRecords')).toEqual([5]);
    await watched.batch(batchAt(0));
    await watch.look();
    expect(watch.stuck).toEqual([]);
    expect(await gaugeOf('lagRecords')).toEqual([4]);
  });

  it('I1 finds one stuck whose batch, or whose assignment, never comes to its end', async () => {
    const never = () => new Promise<number>(() => {});
    for (const handlers of [{ batch: never }, { assigned: never }]) {
      const { watch, watched, pass } = watching(handlers);
      void watched.assigned(place);
      void watched.batch(batchAt(0));
      pass(WATCHDOG_MS + 1);
      await watch.look();
      expect(watch.stuck).toEqual([place]);
    }
  });

  it('leaves alone who is at the end, tries again, waits for a person, or gave it away', async () => {
    const error = new AiRouterError('database_unavailable', 'away');
    const alive: ((world: ReturnType<typeof watching>) => void)[] = [
      ({ log }) => {
        log.end = 0;
      },
      ({ watch }) => watch.report({ kind: 'retrying', partition: place, error, delayMs: 1 }),
      ({ watched }) => watched.revoked([place]),
    ];
    for (const sign of alive) {
      const world = watching();
      await world.watched.assigned(place);
      world.pass(WATCHDOG_MS + 1);
      sign(world);
      await world.watch.look();
      expect(world.watch.stuck).toEqual([]);
    }
    const { watch, watched, pass, gaugeOf } = watching();
    await watched.assigned(place);
    watch.report({ kind: 'stopped', partition: place, error });
    pass(10 * WATCHDOG_MS);
    await watch.look();
    expect(watch.stuck).toEqual([]);
    expect(await gaugeOf('stoppedPartitions')).toEqual([1]);
    watch.report({ kind: 'resumed', partition: place });
    expect(await gaugeOf('stoppedPartitions')).toEqual([0]);
  });

  it('who was idle at the end is not stuck the moment that records come', async () => {
    const { watch, watched, log, pass } = watching();
    log.end = 0;
    await watched.assigned(place);
    pass(10 * WATCHDOG_MS);
    await watch.look();
    log.end = 3;
    pass(WATCHDOG_MS - 1);
    await watch.look();
    expect(watch.stuck).toEqual([]);
  });
});
