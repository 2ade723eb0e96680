/** Gauge of one offering's attempts, in the field names of `POST /v1/inflight`. */
export interface Gauge {
  emitter: string;
  offering: string;
  tick: number;
  started: number;
  in_flight: number;
  overdue: number;
  oldest_ms: number;
}

export interface Attempt {
  /** Once; later calls do nothing. */
  end(): void;
}

/** One body of gauges. */
const OFFERINGS_MAX = 1_000;
/** Attempts that are watched at once, some 10 MB; others are not in the gauges. */
const ATTEMPTS_MAX = 100_000;

interface Tracked {
  /** Since the last gauge. */
  started: number;
  /** When each attempt began, the oldest first. */
  attempts: Map<object, number>;
}

/**
 * Attempts in flight, by offering. What hangs is in no outcome until it ends: its gauge shows it.
 * Times are of a clock that never goes back.
 */
export class InFlight {
  readonly #emitter: string;
  readonly #overdueAfterMs: number;
  readonly #monotonicMs: () => number;
  readonly #offerings = new Map<string, Tracked>();
  #attempts = 0;
  /** Attempts beyond the bounds. */
  untracked = 0;

  constructor(emitter: string, overdueAfterMs: number, monotonicMs: () => number) {
    this.#emitter = emitter;
    this.#overdueAfterMs = overdueAfterMs;
    this.#monotonicMs = monotonicMs;
  }

  begin(offering: string): Attempt {
    const tracked = this.#tracked(offering);
    if (tracked === null) {
      this.untracked += 1;
      return { end: () => {} };
    }
    const attempt: Attempt = {
      end: () => {
        if (tracked.attempts.delete(attempt)) this.#attempts -= 1;
      },
    };
    tracked.attempts.set(attempt, this.#monotonicMs());
    tracked.started += 1;
    this.#attempts += 1;
    return attempt;
  }

  /** A gauge of each offering that has, or since the last time had, attempts. */
  gauges(nowMs: number): Gauge[] {
    const monotonicMs = this.#monotonicMs();
    const tick = Math.floor(nowMs / 5_000);
    return [...this.#offerings].map(([offering, tracked]) => {
      const { started, attempts } = tracked;
      tracked.started = 0;
      if (attempts.size === 0) this.#offerings.delete(offering);
      const begun = [...attempts.values()];
      const isOnTime = (ms: number) => monotonicMs - ms <= this.#overdueAfterMs;
      const onTimeFrom = begun.findIndex(isOnTime);
      return {
        emitter: this.#emitter,
        offering,
        tick,
        started,
        in_flight: begun.length,
        overdue: onTimeFrom === -1 ? begun.length : onTimeFrom,
        oldest_ms: begun.length === 0 ? 0 : Math.round(monotonicMs - begun[0]!),
      };
    });
  }

  #tracked(offering: string): Tracked | null {
    if (this.#attempts >= ATTEMPTS_MAX) return null;
    const known = this.#offerings.get(offering);
    if (known !== undefined) return known;
    if (this.#offerings.size >= OFFERINGS_MAX) return null;
    const tracked = { started: 0, attempts: new Map<object, number>() };
    this.#offerings.set(offering, tracked);
    return tracked;
  }
}
