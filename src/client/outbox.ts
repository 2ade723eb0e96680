import { type Backoff, backoffMs } from '../backoff.js';

/**
 * Why an item did not reach the other side. The first two turn it away at the door. Of the others
 * the other side refused some, and would refuse them again; some were left when it closed, and may
 * have arrived all the same where no answer came.
 */
export interface OutboxDrops {
  queue_full: number;
  after_close: number;
  refused: number;
  closed: number;
}

/** At every moment `accepted = delivered + dropped.refused + dropped.closed + queued`. */
export interface OutboxStats {
  accepted: number;
  delivered: number;
  dropped: OutboxDrops;
  queued: number;
  queuedBytes: number;
  /** Deliveries that failed; each is made again. */
  failures: number;
}

/** The other side has taken the batch, or refused some of it or all for good. */
export interface Delivered {
  refused: number;
}

export interface OutboxOptions<T> {
  /**
   * Hands over a batch. Rejects where it may or may not have arrived: the same batch comes again.
   * An error may say in `retryAfterMs` how long to wait at least.
   */
  deliver(items: readonly T[]): Promise<Delivered>;
  /** Bytes of an item, about. */
  bytesOf(item: T): number;
  /** How long an item waits for company. */
  lingerMs: number;
  batchItemsMax: number;
  batchBytesMax: number;
  queueItemsMax: number;
  queueBytesMax: number;
  retry: Backoff;
  /** Told of what becomes of items, as counts. */
  onCount?: (result: 'delivered' | keyof OutboxDrops, items: number) => void;
  /** Of [0, 1), for the jitter of retries. */
  random?: () => number;
}

/**
 * Hands items over in batches, in order, one batch at a time, the same again until it is taken.
 * Adding never waits: beyond its bounds what is newest is dropped, and counted.
 */
export class Outbox<T> {
  readonly #options: OutboxOptions<T>;
  #queue: { item: T; bytes: number }[] = [];
  readonly #stats: OutboxStats = {
    accepted: 0,
    delivered: 0,
    dropped: { queue_full: 0, after_close: 0, refused: 0, closed: 0 },
    queued: 0,
    queuedBytes: 0,
    failures: 0,
  };
  #running: Promise<void> | null = null;
  /** Items that left the queue: the first of those that were accepted. */
  #left = 0;
  #waiting: { accepted: number; resolve: () => void }[] = [];
  #isClosed = false;
  #isStopped = false;
  #endLinger: () => void = () => {};
  #endBackOff: () => void = () => {};

  constructor(options: OutboxOptions<T>) {
    this.#options = options;
  }

  add(item: T): 'accepted' | 'dropped' {
    const { queueItemsMax, queueBytesMax, batchItemsMax } = this.#options;
    const bytes = this.#options.bytesOf(item);
    const { queued, queuedBytes } = this.#stats;
    if (this.#isClosed || queued >= queueItemsMax || queuedBytes + bytes > queueBytesMax) {
      this.#count(this.#isClosed ? 'after_close' : 'queue_full', 1);
      return 'dropped';
    }
    this.#queue.push({ item, bytes });
    this.#stats.accepted += 1;
    this.#stats.queued += 1;
    this.#stats.queuedBytes += bytes;
    this.#running ??= this.#run();
    if (this.#queue.length >= batchItemsMax) this.#endLinger();
    return 'accepted';
  }

  /** Resolves when all that was accepted so far is delivered, refused or dropped. */
  flush(): Promise<void> {
    const { accepted } = this.#stats;
    if (this.#left === accepted) return Promise.resolve();
    this.#endLinger();
    return new Promise((resolve) => this.#waiting.push({ accepted, resolve }));
  }

  stats(): OutboxStats {
    return structuredClone(this.#stats);
  }

  /** Delivers what it can by then; the rest is dropped, and counted. */
  async close({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    this.#isClosed = true;
    let timer: NodeJS.Timeout | undefined;
    const elapsed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([this.flush(), elapsed]);
    clearTimeout(timer);
    this.#isStopped = true;
    this.#endBackOff();
    const left = this.#queue.splice(0);
    this.#leave(left);
    this.#count('closed', left.length);
  }

  async #run(): Promise<void> {
    // Once for each burst: while batches are on their way, others gather by themselves.
    if (!this.#isClosed) await this.#linger();
    while (this.#queue.length > 0 && !this.#isStopped) await this.#deliver(this.#batch());
    this.#running = null;
  }

  #batch(): { item: T; bytes: number }[] {
    const { batchItemsMax, batchBytesMax } = this.#options;
    let bytes = 0;
    const end = this.#queue.findIndex((entry, index) => {
      bytes += entry.bytes;
      return index === batchItemsMax || (index > 0 && bytes > batchBytesMax);
    });
    return this.#queue.slice(0, end === -1 ? this.#queue.length : end);
  }

  async #deliver(batch: readonly { item: T; bytes: number }[]): Promise<void> {
    const items = batch.map(({ item }) => item);
    for (let attempt = 0; !this.#isStopped; attempt += 1) {
      try {
        const { refused } = await this.#options.deliver(items);
        if (this.#isStopped) return;
        this.#leave(this.#queue.splice(0, batch.length));
        this.#count('refused', refused);
        this.#count('delivered', batch.length - refused);
        return;
      } catch (error) {
        this.#stats.failures += 1;
        const { retryAfterMs } = error as { retryAfterMs?: number };
        const delayMs = backoffMs(attempt + 1, this.#options.retry, this.#options.random);
        await this.#backOff(Math.max(delayMs, retryAfterMs ?? 0));
      }
    }
  }

  #leave(entries: readonly { bytes: number }[]): void {
    this.#stats.queued -= entries.length;
    for (const { bytes } of entries) this.#stats.queuedBytes -= bytes;
    this.#left += entries.length;
    while ((this.#waiting[0]?.accepted ?? Number.POSITIVE_INFINITY) <= this.#left) {
      this.#waiting.shift()?.resolve();
    }
  }

  #count(result: 'delivered' | keyof OutboxDrops, items: number): void {
    if (items === 0) return;
    if (result === 'delivered') this.#stats.delivered += items;
    else this.#stats.dropped[result] += items;
    this.#options.onCount?.(result, items);
  }

  #linger(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.lingerMs);
      this.#endLinger = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** A process that has nothing else to do is not kept by another one that is away. */
  #backOff(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#endBackOff = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
