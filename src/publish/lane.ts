import PQueue from 'p-queue';
import type { Clock } from '../clock.js';
import type { LogWriter } from '../log/port.js';
import type { Backlog } from './backlog.js';
import type { Batch } from './batch.js';
import type { PublisherLogger } from './condition.js';
import { type LaneConditions, laneConditions } from './conditions.js';
import type { PublisherStats } from './stats.js';

/** The fold forgets a publisher's highest sequence after 30 days; a repeat must come well before. */
export const BATCH_AGE_MS_MAX = 7 * 24 * 3_600_000;

/** An append that takes longer counts as failing: what waits behind it goes to the spool. */
const APPEND_SLOW_MS = 1_000;

export interface LaneOptions {
  log: LogWriter;
  topic: string;
  partition: number;
  clock: Clock;
  retry: { initialMs: number; maxMs: number };
  /** Of [0, 1). */
  random: () => number;
  backlog: Backlog;
  stats: PublisherStats;
  logger: PublisherLogger;
}

/**
 * Sends the backlog of one partition: one batch at a time, the oldest first, the same bytes again
 * until the log acknowledges them or they expire.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #backlog: Backlog;
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #conditions: LaneConditions;
  #appendStartedMs: number | null = null;
  #isStopped = false;
  /** Ends the wait that is going on, for an answer or for the next attempt. */
  #interrupt: () => void = () => {};

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#backlog = options.backlog;
    this.#conditions = laneConditions(options.topic, options.partition, options.logger);
  }

  /** `isMemoryTight`: the publisher as a whole holds so much that what can go to disk should. */
  push(batches: readonly Batch[], isMemoryTight: boolean): void {
    for (const batch of batches) this.#backlog.push(batch);
    if (
      isMemoryTight ||
      this.#backlog.isSpilled ||
      this.#conditions.failing.holds ||
      this.#isAppendSlow()
    ) {
      void this.#backlog.spill();
    }
    if (batches.length > 0) this.wake();
  }

  /** Sees to it that the backlog is being sent. */
  wake(): void {
    if (this.#queue.size === 0) void this.#queue.add(() => this.#drain());
  }

  /** True from an append that rejects to one that does not. */
  get isFailing(): boolean {
    return this.#conditions.failing.holds;
  }

  /** Sends nothing more; an answer that is still to come is ignored. */
  stop(): void {
    this.#isStopped = true;
    this.#interrupt();
  }

  async #drain(): Promise<void> {
    for (let attempt = 0; !this.#isStopped; ) {
      const batch = await this.#head();
      if (batch === 'unreadable') {
        await this.#backOff(attempt);
        attempt += 1;
        continue;
      }
      if (batch === null || this.#isStopped) return;
      attempt = 0;
      await this.#deliver(batch);
    }
  }

  async #head(): Promise<Batch | null | 'unreadable'> {
    try {
      const batch = await this.#backlog.head();
      this.#conditions.unreadable.end({});
      return batch;
    } catch (error) {
      this.#options.stats.spoolErrors += 1;
      this.#conditions.unreadable.begin({ reason: String(error) });
      return 'unreadable';
    }
  }

  async #deliver(batch: Batch): Promise<void> {
    const { clock, stats } = this.#options;
    for (let attempt = 0; !this.#isStopped; attempt += 1) {
      if (clock.nowMs() - batch.assembledAtMs > BATCH_AGE_MS_MAX) {
        this.#conditions.expiring.begin({});
        return this.#backlog.remove(batch, 'expired');
      }
      const outcome = await this.#append(batch);
      if (outcome === 'acknowledged') {
        this.#succeeded();
        stats.batchesAcknowledged += 1;
        return this.#backlog.remove(batch, 'acknowledged');
      }
      if (outcome === 'interrupted') return;
      this.#failed(outcome);
      void this.#backlog.spill();
      await this.#backOff(attempt);
    }
  }

  async #append(batch: Batch): Promise<'acknowledged' | 'interrupted' | { error: unknown }> {
    const { log, topic, partition, clock } = this.#options;
    this.#appendStartedMs = clock.nowMs();
    const records = [{ key: null, value: batch.value, headers: batch.headers }];
    const interrupted = new Promise<'interrupted'>((resolve) => {
      this.#interrupt = () => resolve('interrupted');
    });
    const answered = Promise.resolve()
      .then(() => log.append(topic, partition, records))
      .then(
        () => 'acknowledged' as const,
        (error: unknown) => ({ error }),
      );
    const outcome = await Promise.race([answered, interrupted]);
    this.#appendStartedMs = null;
    return outcome;
  }

  /** Half of the delay is fixed, half is drawn, so that publishers do not return in step. */
  #backOff(attempt: number): Promise<void> {
    const { retry, random } = this.#options;
    const fullMs = Math.min(retry.maxMs, retry.initialMs * 2 ** Math.min(attempt, 30));
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, (fullMs * (1 + random())) / 2);
      this.#interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #isAppendSlow(): boolean {
    const startedMs = this.#appendStartedMs;
    return startedMs !== null && this.#options.clock.nowMs() - startedMs > APPEND_SLOW_MS;
  }

  #failed(outcome: { error: unknown }): void {
    this.#options.stats.appendsRejected += 1;
    this.#conditions.failing.begin({ reason: String(outcome.error) });
  }

  #succeeded(): void {
    this.#conditions.failing.end({});
    this.#conditions.expiring.end({ expired: this.#options.stats.dropped.expired });
  }
}
