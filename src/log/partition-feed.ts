import { backoffMs, pause, READ_RETRY } from '../backoff.js';
import { AiRouterError, ERRORS } from '../errors.js';
import type { PartitionReport } from './partition-report.js';
import type { ConsumerHandlers, LogBatch, TopicPartition } from './port.js';

/**
 * The records from `offset` on. A log that can wait for records does, until the signal is given;
 * one that cannot answers none at the end, and the feed is woken when there are new ones.
 */
export type ReadForFeed = (
  topic: string,
  partition: number,
  offset: number,
  maxBytes: number,
  signal: AbortSignal,
) => Promise<LogBatch>;

/** How often a stopped partition looks whether its cause is gone. */
const ASK_AGAIN_MS = 5_000;

export interface FeedOptions {
  partition: TopicPartition;
  read: ReadForFeed;
  fetchBytesMax: number;
  handlers: ConsumerHandlers;
  report: (report: PartitionReport) => void;
}

/**
 * Delivers one partition: ask where to start, then read, hand over, go on from what the handler
 * says; one batch at a time.
 *
 * - at the end of the partition it waits for `wake`, which an append or the poll calls;
 * - an error of the kind `retry`, of the handler or of the log, leads to a growing pause and to
 *   the question where to start; what was read is forgotten;
 * - any other error stops it until a person has acted: it is reported once, and from time to time
 *   the feed asks again where to start, so that it goes on by itself once the cause is gone;
 * - `stop` ends it after the batch in flight; pauses and waits end at once.
 */
export class PartitionFeed {
  readonly partition: TopicPartition;
  readonly #options: FeedOptions;
  readonly #stopping = new AbortController();
  #failures = 0;
  /** It was reported as stopped, and no batch has passed since. */
  #isStopped = false;
  /** Offset that an idle feed waits for; null = it is at work. */
  #idleAt: number | null = null;
  #isWoken = false;
  #endWait: () => void = () => {};
  #done: Promise<void> = Promise.resolve();

  constructor(options: FeedOptions) {
    this.partition = options.partition;
    this.#options = options;
  }

  start(): void {
    this.#done = this.#run();
  }

  get isIdle(): boolean {
    return this.#idleAt !== null;
  }

  /** There may be records below `end`; without it, there is at least one new one. */
  wake(end = Number.POSITIVE_INFINITY): void {
    if (this.#idleAt !== null && end <= this.#idleAt) return;
    this.#isWoken = true;
    this.#endWait();
  }

  /** Resolves when no batch is in flight, and none will follow. */
  stop(): Promise<void> {
    this.#stopping.abort();
    this.#endWait();
    return this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        await this.#deliverFrom(await this.#options.handlers.assigned(this.partition));
      } catch (error) {
        if (isRetry(error)) await this.#backOff(error);
        else await this.#waitForPerson(error);
      }
    }
  }

  async #waitForPerson(error: unknown): Promise<void> {
    if (!this.#isStopped) {
      this.#options.report({ kind: 'stopped', partition: this.partition, error });
    }
    this.#isStopped = true;
    await pause(ASK_AGAIN_MS, this.#stopping.signal);
  }

  async #deliverFrom(start: number): Promise<void> {
    const { read, fetchBytesMax, handlers } = this.#options;
    const { topic, partition } = this.partition;
    const { signal } = this.#stopping;
    let offset = start;
    while (!this.#isStopping) {
      this.#isWoken = false;
      const batch = await read(topic, partition, offset, fetchBytesMax, signal);
      if (this.#isStopping) return;
      if (batch.records.length === 0) {
        await this.#waitForMore(offset);
        continue;
      }
      offset = await handlers.batch(batch);
      this.#failures = 0;
      if (this.#isStopped) this.#options.report({ kind: 'resumed', partition: this.partition });
      this.#isStopped = false;
    }
  }

  async #waitForMore(offset: number): Promise<void> {
    if (this.#isWoken || this.#isStopping) return; // An append came while we were reading.
    this.#idleAt = offset;
    await new Promise<void>((resolve) => {
      this.#endWait = resolve;
    });
    this.#endWait = () => {};
    this.#idleAt = null;
  }

  async #backOff(error: unknown): Promise<void> {
    this.#failures += 1;
    const delayMs = backoffMs(this.#failures, READ_RETRY);
    this.#options.report({ kind: 'retrying', partition: this.partition, error, delayMs });
    await pause(delayMs, this.#stopping.signal);
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }
}

function isRetry(error: unknown): boolean {
  return error instanceof AiRouterError && ERRORS[error.code].action === 'retry';
}
