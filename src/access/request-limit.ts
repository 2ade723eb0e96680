/** Requests that may come at once: those of one second. */
const BURST_MS = 1000;

/** What a limit says of one request. */
export interface Admission {
  isAdmitted: boolean;
  /** Requests that would still be admitted now. */
  remaining: number;
  /** Until another one is admitted; 0 while some remain. */
  waitMs: number;
}

/**
 * A rate with a burst of one second, as one number: the moment at which all that was admitted would
 * have been due at the rate (the generic cell rate algorithm of ATM's traffic management). What is
 * refused costs the caller nothing.
 */
export class RequestLimit {
  readonly perSecond: number;
  readonly #intervalMs: number;
  #dueMs = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.perSecond = perSecond;
    this.#intervalMs = 1000 / perSecond;
  }

  /** @param nowMs of a clock that never goes back */
  admit(nowMs: number): Admission {
    const dueMs = Math.max(this.#dueMs, nowMs) + this.#intervalMs;
    const isAdmitted = dueMs - nowMs <= BURST_MS + EPSILON_MS;
    if (isAdmitted) this.#dueMs = dueMs;
    const spareMs = BURST_MS - Math.max(0, this.#dueMs - nowMs);
    const remaining = Math.max(0, Math.floor((spareMs + EPSILON_MS) / this.#intervalMs));
    return { isAdmitted, remaining, waitMs: Math.max(0, this.#intervalMs - spareMs) };
  }
}

/** Sums of intervals are not exact. */
const EPSILON_MS = 1e-6;
