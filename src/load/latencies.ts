/** In ms. */
export interface Percentiles {
  p50: number;
  p99: number;
  max: number;
}

/** Longer ones count as this long; the greatest is kept as it is. */
const COUNTED_MS_MAX = 60_000;

/** Latencies counted by whole ms, rounded up: exact percentiles in memory that does not grow. */
export class Latencies {
  readonly #counts = new Uint32Array(COUNTED_MS_MAX + 1);
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    const whole = Math.max(0, Math.ceil(ms));
    this.#counts[Math.min(whole, COUNTED_MS_MAX)]! += 1;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, whole);
  }

  /** Null = nothing was measured. */
  percentiles(): Percentiles | null {
    if (this.#count === 0) return null;
    return { p50: this.#at(0.5), p99: this.#at(0.99), max: this.#maxMs };
  }

  /** The least latency that at least this share of all did not exceed. */
  #at(share: number): number {
    let left = Math.ceil(this.#count * share);
    for (let ms = 0; ms < COUNTED_MS_MAX; ms++) {
      left -= this.#counts[ms]!;
      if (left <= 0) return ms;
    }
    return this.#maxMs;
  }
}
