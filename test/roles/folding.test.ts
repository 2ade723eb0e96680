import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AiRouterError } from '../../src/errors.js';
import type { ConsumerHandlers, LogConsumer } from '../../src/log/port.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { type Folding, startFolding } from '../../src/roles/folding.js';

const WATCHDOG_MS = 8_000;
const place = { topic: 't', partition: 0 };

/** Takes its partition, and delivers only where it is told to. */
class ScriptedConsumer implements LogConsumer {
  isClosed = false;
  /** When it is closed. */
  hangs = false;
  #handlers!: ConsumerHandlers;

  async start(handlers: ConsumerHandlers): Promise<void> {
    this.#handlers = handlers;
    await handlers.assigned(place);
  }

  async deliver(): Promise<void> {
    const records = [{ offset: 4 }] as never;
    await this.#handlers.batch({ ...place, fetchOffset: 0, records, highWatermark: 5 });
  }

  close(): Promise<void> {
    this.isClosed = true;
    return this.hangs ? new Promise(() => {}) : Promise.resolve();
  }
}

describe('a consumer that is kept at work', () => {
  let consumers: ScriptedConsumer[];
  let failed: AiRouterError[];
  let folding: Folding;
  beforeEach(async () => {
    vi.useFakeTimers();
    consumers = [];
    failed = [];
    folding = await startFolding({
      log: { bounds: async () => ({ start: 0, end: 5 }) },
      metrics: createMetrics(),
      logger: { info: () => {}, warn: () => {}, error: () => {} } as never,
      watchdogMs: WATCHDOG_MS,
      open() {
        const consumer = new ScriptedConsumer();
        consumers.push(consumer);
        return {
          consumer,
          handlers: { assigned: async () => 0, batch: async () => 5, revoked: () => {} },
        };
      },
      fail: (error) => failed.push(error),
    });
  });
  afterEach(async () => {
    const closing = folding.close();
    await vi.advanceTimersByTimeAsync(20_000);
    await closing;
    vi.useRealTimers();
  });

  it('I1 I9 is thrown away and made anew where it idles though there are records', async () => {
    await vi.advanceTimersByTimeAsync(1.5 * WATCHDOG_MS);
    expect(consumers).toHaveLength(2);
    expect(consumers[0]!.isClosed).toBe(true);
    await consumers[1]!.deliver();
    await vi.advanceTimersByTimeAsync(10 * WATCHDOG_MS);
    expect(consumers).toHaveLength(2);
    expect(failed).toEqual([]);
    expect(folding.isAlive()).toBe(true);
  });

  it('I1 ends the process where the new one is stuck as well, and says so while it lasts', async () => {
    await vi.advanceTimersByTimeAsync(4 * WATCHDOG_MS);
    expect(consumers).toHaveLength(2);
    expect(failed).toMatchObject([{ code: 'log_unavailable' }]);
    expect(folding.isAlive()).toBe(false);
  });

  it('I11 is not waited for where it hangs in its end', async () => {
    consumers[0]!.hangs = true;
    await vi.advanceTimersByTimeAsync(1.5 * WATCHDOG_MS);
    expect(consumers).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(consumers).toHaveLength(2);
  });
});
