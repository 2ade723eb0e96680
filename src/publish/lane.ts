import PQueue from 'p-queue';
import { type Backoff, backOff } from '../backoff.js';
import type { Clock } from '../clock.js';
import type { LogWriter } from '../log/port.js';
import type { Assembler } from './assembler.js';
import type { Backlog } from './backlog.js';
import type { Batch } from './batch.js';
import type { PublisherLogger } from './condition.js';
import { type LaneConditions, laneConditions } from './conditions.js';
import type { PublisherStats } from './stats.js';

/** The fold forgets a publisher's highest sequence after 30 days; a repeat must come well before. */
const BATCH_AGE_MS_MAX = 7 * 24 * 3_600_000;

/**
 * An append that takes longer counts as failing: what waits behind it goes to the spool. A batch
 * that can still grow waits no longer than this for a place behind others on disk.
 */
const APPEND_SLOW_MS = 1_000;

export interface LaneOptions {
  log: LogWriter;
  topic: string;
  partition: number;
  clock: Clock;
  retry: Backoff;
  /** Of [0, 1). */
  random: () => number;
  assembler: Assembler;
  backlog: Backlog;
  stats: PublisherStats;
  logger: PublisherLogger;
}

/**
 * Sends the batches of one partition: one at a time, the oldest first, the same bytes again until
 * the log acknowledges them or they expire.
 *
 * A batch is assembled as late as can be: when the one before it is acknowledged, when it goes to
 * disk, or for a flush. So what comes while an append is under way shares a batch, and the slower
 * the log, the fuller they are.
 */
export class Lane {
  readonly #options: LaneOptions;
  readonly #assembler: Assembler;
  readonly #backlog: Backlog;
  readonly #queue = new PQueue({ concurrency: 1 });
  readonly #conditions: LaneConditions;
  #appendStartedMs: number | null = null;
  readonly #stopping = new AbortController();
  /** Ends the wait for an answer. */
  #interrupt: () => void = () => {};

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#assembler = options.assembler;
    this.#backlog = options.backlog;
    this.#conditions = laneConditions(options.topic, options.partition, options.logger);
  }

  /**
   * Sends what is due. `isMemoryTight`: the publisher as a whole holds so much that what can go to
   * disk should.
   */
  send(isMemoryTight: boolean): void {
    const isDue = this.#assembler.hasDue;
    this.#spillWhereDue(isMemoryTight);
    if (isDue) this.wake();
  }

  /** Sends all that is held, also what is not due: the backlog has it then. */
  sendAll(isMemoryTight: boolean): void {
    const batches = this.#assembler.takeAll(this.#options.clock.nowMs());
    for (const batch of batches) this.#backlog.push(batch);
    this.#spillWhereDue(isMemoryTight);
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
    this.#stopping.abort();
    this.#interrupt();
  }

  async #drain(): Promise<void> {
    for (let attempt = 0; !this.#isStopped; ) {
      const batch = await this.#head();
      if (batch === 'unreadable') {
        attempt += 1;
        await this.#backOff(attempt);
        continue;
      }
      if (this.#isStopped) return;
      if (batch === null) {
        const next = this.#assembler.takeNext(this.#options.clock.nowMs());
        if (next === null) return;
        this.#backlog.push(next);
        continue;
      }
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
      this.#spillWhereDue(true);
      await this.#backOff(attempt + 1);
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

  #backOff(failures: number): Promise<void> {
    const { retry, random } = this.#options;
    return backOff(failures, retry, this.#stopping.signal, random);
  }

  /**
   * While the log answers and there is memory, a batch that can still grow stays: small ones on
   * disk would be sent as they are, and keep a slow log slow.
   */
  #spillWhereDue(isMemoryTight: boolean): void {
    if (!this.#backlog.canSpill) return;
    const isAway = this.#conditions.failing.holds || this.#isAppendSlow();
    if (!isAway && !isMemoryTight && !this.#backlog.isSpilled) return;
    const dueForMs = isAway || isMemoryTight ? 0 : APPEND_SLOW_MS;
    const batches = this.#assembler.takeDue(this.#options.clock.nowMs(), dueForMs);
    for (const batch of batches) this.#backlog.push(batch);
    void this.#backlog.spill();
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
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
