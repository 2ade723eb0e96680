import { type Backoff, backoffMs } from '../backoff.js';
import { AiRouterError } from '../errors.js';
import type { Schedule } from './schedule.js';

/** Between failed attempts: as late at most are the keys when Redis is back. */
const WRITE_RETRY: Backoff = { initialMs: 100, maxMs: 2_000 };

/**
 * Writes one after another that each ended behind what was requested meanwhile. So many follow a
 * burst to its end; a flow that does not pause is then written once an interval, since under it
 * every partition is at its end all the time, and at once would mean without a break.
 */
const CHASES_MAX = 8;

export interface LaneWriterOptions {
  /**
   * Least time between the starts of two writes; 0 = none. At-once requests do not wait for it,
   * unless they come without a pause.
   */
  intervalMs: number;
  schedule: Schedule;
  /** Of [0, 1), for the jitter of retries. */
  random: () => number;
  /** Writes what is committed now; false = it did not get through. Does not reject. */
  write(remake: boolean): Promise<boolean>;
}

interface Waiter {
  target: number;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * When a lane is written. There is no queue: requests are counted, and a write that began after
 * the n-th request covers all n. One write is in flight; what is requested meanwhile waits for the
 * next one. After a failure everything stays requested and is tried again.
 */
export class LaneWriter {
  readonly #options: LaneWriterOptions;
  #requested = 0;
  #written = 0;
  /** The lane's first write is whole: what is stored may be another program's idea of it. */
  #remake = true;
  #atOnce = false;
  #chases = 0;
  #running: Promise<void> | null = null;
  #waiters: Waiter[] = [];
  #closed = false;

  #isThrottled = false;
  #cancelThrottle = (): void => {};
  #isBackingOff = false;
  #cancelBackoff = (): void => {};
  #failures = 0;

  constructor(options: LaneWriterOptions) {
    this.#options = options;
  }

  request({ atOnce }: { atOnce: boolean }): void {
    this.#requested++;
    this.#atOnce ||= atOnce;
    this.#wake();
  }

  /** Everything is to be written again, changed or not. */
  requestRemake(): void {
    this.#remake = true;
    this.request({ atOnce: true });
  }

  /** Resolves when everything requested so far is written; what is held back is written now. */
  settled(): Promise<void> {
    if (this.#written >= this.#requested) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closed());
      this.#waiters.push({ target: this.#requested, resolve, reject });
      this.#wake();
    });
  }

  /** Waits for the write in flight; what was not written yet is left to other writers. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelThrottle();
    this.#cancelBackoff();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(closed());
    await this.#running;
  }

  #isDue(): boolean {
    if (this.#closed || this.#isBackingOff || this.#written >= this.#requested) return false;
    const isAtOnce = this.#atOnce && this.#chases < CHASES_MAX;
    return !this.#isThrottled || isAtOnce || this.#waiters.length > 0;
  }

  #wake(): void {
    if (this.#running !== null || !this.#isDue()) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
      this.#wake();
    });
  }

  async #run(): Promise<void> {
    while (this.#isDue()) {
      const target = this.#requested;
      const remake = this.#remake;
      this.#remake = false;
      this.#atOnce = false;
      this.#throttle();
      const isWritten = await this.#options.write(remake);
      if (isWritten) this.#finish(target);
      else this.#retryLater(remake);
    }
  }

  #finish(target: number): void {
    this.#written = target;
    this.#chases = this.#requested > target ? this.#chases + 1 : 0;
    this.#failures = 0;
    this.#waiters = this.#waiters.filter((waiter) => {
      if (waiter.target > target) return true;
      waiter.resolve();
      return false;
    });
  }

  #retryLater(remake: boolean): void {
    this.#remake ||= remake;
    this.#atOnce = true;
    this.#isBackingOff = true;
    this.#failures += 1;
    const delayMs = backoffMs(this.#failures, WRITE_RETRY, this.#options.random);
    this.#cancelBackoff = this.#options.schedule(delayMs, () => {
      this.#isBackingOff = false;
      this.#wake();
    });
  }

  #throttle(): void {
    if (this.#options.intervalMs === 0) return;
    this.#cancelThrottle();
    this.#isThrottled = true;
    this.#cancelThrottle = this.#options.schedule(this.#options.intervalMs, () => {
      this.#isThrottled = false;
      this.#wake();
    });
  }
}

function closed(): AiRouterError {
  return new AiRouterError('hot_keys_unavailable', 'The writer of the hot keys was closed.');
}
