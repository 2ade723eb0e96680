import PQueue from 'p-queue';
import type { Clock } from '../clock.js';
import type { LogWriter } from '../log/port.js';
import type { Backlog } from './backlog.js';
import type { Batch } from './batch.js';
import { Condition, type PublisherLogger } from './condition.js';
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
  readonly #failing: Condition;
  readonly #expiring: Condition;
  readonly #unreadable: Condition;
  #appendStartedMs: number | null = null;
  #isStopped = false;
  /** Ends the wait that is going on, for an answer or for the next attempt. */
  #interrupt: () => void = () => {};

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#backlog = options.backlog;
    this.#failing = failingCondition(options);
    this.#expiring = expiringCondition(options);
    this.#unreadable = unreadableCondition(options);
  }

  /** `isMemoryTight`: the publisher as a whole holds so much that what can go to disk should. */
  push(batches: readonly Batch[], isMemoryTight: boolean): void {
    for (const batch of batches) this.#backlog.push(batch);
    if (isMemoryTight || this.#backlog.isSpilled || this.#failing.holds || this.#isAppendSlow()) {
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
    return this.#failing.holds;
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
      this.#unreadable.end({});
      return batch;
    } catch (error) {
      this.#options.stats.spoolErrors += 1;
      this.#unreadable.begin({ reason: String(error) });
      return 'unreadable';
    }
  }

  async #deliver(batch: Batch): Promise<void> {
    const { clock, stats } = this.#options;
    for (let attempt = 0; !this.#isStopped; attempt += 1) {
      if (clock.nowMs() - batch.assembledAtMs > BATCH_AGE_MS_MAX) {
        this.#expiring.begin({});
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
    this.#failing.begin({ reason: String(outcome.error) });
  }

  #succeeded(): void {
    this.#failing.end({});
    this.#expiring.end({ expired: this.#options.stats.dropped.expired });
  }
}

function failingCondition({ topic, partition, logger }: LaneOptions): Condition {
  return new Condition(
    (fields) =>
      logger.warn(
        { topic, partition, ...fields },
        'The log does not take the batches of a partition; they wait and are sent again.',
      ),
    () => logger.info({ topic, partition }, 'The log takes the batches of the partition again.'),
  );
}

function expiringCondition({ topic, partition, logger }: LaneOptions): Condition {
  return new Condition(
    () =>
      logger.error(
        { topic, partition },
        'Batches that waited for more than seven days are dropped and counted.',
      ),
    (fields) => logger.info({ topic, partition, ...fields }, 'No more batches expire.'),
  );
}

function unreadableCondition({ topic, partition, logger }: LaneOptions): Condition {
  return new Condition(
    (fields) =>
      logger.error(
        { topic, partition, ...fields },
        'The spool cannot be read; its partition waits until it can.',
      ),
    () => logger.info({ topic, partition }, 'The spool can be read again.'),
  );
}
