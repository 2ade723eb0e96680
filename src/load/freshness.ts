import { setTimeout as sleep } from 'node:timers/promises';
import { wallClock } from '../clock.js';
import { createPoller } from '../hotkeys/poller.js';
import type { HotKeys } from '../hotkeys/port.js';
import type { Logger } from '../observe/logger.js';
import { createSnapshotSource } from '../route/snapshot-source.js';
import type { AcknowledgedBatch } from './acknowledgements.js';
import { Latencies, type Percentiles } from './latencies.js';
import { preciseNowMs } from './schedule.js';

export interface FreshnessReport extends Partial<Percentiles> {
  /** Outcomes that a snapshot had. */
  seen: number;
  /** Outcomes that no snapshot had until the end. */
  unseen: number;
}

export interface FreshnessWatch {
  published(batch: AcknowledgedBatch): void;
  /** Waits for what is still to be seen, up to a time. */
  settled(timeoutMs: number): Promise<void>;
  report(): FreshnessReport;
  close(): Promise<void>;
}

/** Some ten minutes of a thousand outcomes a second, not seen: what is more counts as unseen. */
const PENDING_BATCHES_MAX = 100_000;
const LOOK_AGAIN_MS = 10;

/**
 * One more reader of the hot keys, as a router is: it polls as often, makes the same snapshots, and
 * takes the time until its lane `health` has an outcome.
 */
export function watchFreshness(options: {
  hotKeys: HotKeys;
  topic: string;
  pollIntervalMs: number;
  logger: Logger;
}): FreshnessWatch {
  const { hotKeys, topic, pollIntervalMs, logger } = options;
  const pending = new PendingOutcomes();
  const snapshots = createSnapshotSource({ logger });
  const poller = createPoller({
    hotKeys,
    pollIntervalMs,
    clock: wallClock,
    logger,
    onChange(view) {
      snapshots.onChange(view);
      pending.see(view.state.lanes.health?.vector[topic] ?? []);
    },
  });
  return {
    published: (batch) => pending.add(batch),
    async settled(timeoutMs) {
      const endMs = preciseNowMs() + timeoutMs;
      while (pending.isWaiting && preciseNowMs() < endMs) await sleep(LOOK_AGAIN_MS);
    },
    report: () => pending.report(),
    async close() {
      await poller.close();
      await hotKeys.close();
    },
  };
}

/** Outcomes that are in the log, by partition in the order of offsets, until they are seen. */
export class PendingOutcomes {
  readonly #byPartition = new Map<number, Pick<AcknowledgedBatch, 'offset' | 'dueMs'>[]>();
  readonly #latencies = new Latencies();
  #batches = 0;
  #unseen = 0;
  #vector: readonly number[] = [];

  get isWaiting(): boolean {
    return this.#batches > 0;
  }

  add({ partition, offset, dueMs }: AcknowledgedBatch): void {
    if (this.#batches === PENDING_BATCHES_MAX) {
      this.#unseen += dueMs.length;
      return;
    }
    const queue = this.#byPartition.get(partition) ?? [];
    queue.push({ offset, dueMs });
    this.#byPartition.set(partition, queue);
    this.#batches += 1;
    // The way through the projector may be shorter than that of the acknowledgement.
    this.see(this.#vector);
  }

  /** A snapshot has everything below these offsets. */
  see(vector: readonly number[]): void {
    this.#vector = vector;
    const nowMs = preciseNowMs();
    for (const [partition, queue] of this.#byPartition) {
      const firstUnseen = queue.findIndex(({ offset }) => offset >= (vector[partition] ?? 0));
      const seen = queue.splice(0, firstUnseen === -1 ? queue.length : firstUnseen);
      this.#batches -= seen.length;
      for (const { dueMs } of seen) for (const due of dueMs) this.#latencies.add(nowMs - due);
    }
  }

  report(): FreshnessReport {
    let unseen = this.#unseen;
    for (const queue of this.#byPartition.values()) {
      for (const { dueMs } of queue) unseen += dueMs.length;
    }
    return { ...this.#latencies.percentiles(), seen: this.#latencies.count, unseen };
  }
}
