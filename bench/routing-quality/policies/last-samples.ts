import type { Gauge, Seen } from '../policy.js';
import { timeValue } from '../truth.js';
import { type Arrival, costOf, priceAt, type World } from '../world.js';
import { Peer } from './peer.js';
import { isFailure, referenceOf } from './utility.js';

/**
 * Latency-based routing as LiteLLM documents it: the mean of the last samples of each, a draw
 * among those within a buffer of the lowest; what has no sample is tried first; a timeout is a
 * sample of 1,000 s; a 429 or a minute with more than half failures closes it for a cooldown.
 * Written from its documentation, without its known defects (notes on the list that keeps its
 * oldest samples).
 */
export interface LastSamplesSettings {
  /** What is averaged: seconds for each output token, or the utility that all tuned ones share. */
  by: 'latency' | 'utility';
  samples: number;
  /** Share of the lowest. */
  buffer: number;
  ttlMs: number;
  cooldownMs: number;
  /** A failure counts as a sample of that many references; 0 = only timeouts are samples. */
  failureReferences: number;
  /** Overdue attempts count as such samples, too. */
  readsGauges: boolean;
}

export const LAST_SAMPLES_SHIPPED: LastSamplesSettings = {
  by: 'latency',
  samples: 10,
  buffer: 0,
  ttlMs: 3_600_000,
  cooldownMs: 5_000,
  failureReferences: 0,
  readsGauges: false,
};

const TIMEOUT_SECONDS = 1_000;

interface Sample {
  atMs: number;
  value: number;
}

export class LastSamples extends Peer {
  readonly #settings: LastSamplesSettings;
  readonly #samples: Sample[][];
  readonly #minute: { minute: number; all: number; failed: number }[];
  readonly #overdue: number[];

  constructor(world: World, settings: LastSamplesSettings) {
    super(world);
    this.#settings = settings;
    this.#samples = world.offerings.map(() => []);
    this.#minute = world.offerings.map(() => ({ minute: 0, all: 0, failed: 0 }));
    this.#overdue = world.offerings.map(() => 0);
  }

  seeOutcome(seen: Seen): void {
    const value = this.#valueOf(seen);
    if (value !== null) {
      const samples = this.#samples[seen.offering]!;
      samples.push({ atMs: seen.seenMs, value });
      if (samples.length > this.#settings.samples) samples.shift();
    }
    this.#cool(seen);
  }

  seeGauges(_atMs: number, gauges: readonly Gauge[]): void {
    gauges.forEach(({ overdue }, index) => {
      this.#overdue[index] = overdue;
    });
  }

  protected choose(among: readonly number[], atMs: number, arrival: Arrival): number {
    const scores = among.map((index) => this.#scoreOf(index, atMs, arrival));
    const limit = Math.min(...scores) * (1 + this.#settings.buffer);
    const near = among.filter((_, i) => scores[i]! <= limit);
    return near[Math.floor(this.draw() * near.length)]!;
  }

  #valueOf({ status, durationMs, arrival }: Seen): number | null {
    const { by, failureReferences } = this.#settings;
    if (by === 'latency') {
      if (status === 'success') return durationMs / 1000 / arrival.outputTokens;
      return status === 'timeout' ? TIMEOUT_SECONDS : null;
    }
    const ratio = durationMs / referenceOf(arrival);
    if (status === 'success') return ratio;
    return failureReferences > 0 ? Math.max(failureReferences, ratio) : null;
  }

  #scoreOf(index: number, atMs: number, arrival: Arrival): number {
    const { by, ttlMs, readsGauges, failureReferences, samples } = this.#settings;
    const values = this.#samples[index]!.filter((it) => atMs - it.atMs <= ttlMs).map(
      (it) => it.value,
    );
    if (readsGauges) {
      for (let i = Math.min(this.#overdue[index]!, samples); i > 0; i--)
        values.push(failureReferences);
    }
    if (values.length === 0) return 0;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    if (by === 'latency') return mean;
    const price = costOf(priceAt(this.world.offerings[index]!, atMs), arrival);
    return price + timeValue(mean * referenceOf(arrival));
  }

  #cool({ offering, seenMs, status, retryAfterMs }: Seen): void {
    const { cooldownMs } = this.#settings;
    const minute = Math.floor(seenMs / 60_000);
    const counts = this.#minute[offering]!;
    if (counts.minute !== minute) Object.assign(counts, { minute, all: 0, failed: 0 });
    counts.all += 1;
    if (isFailure(status)) counts.failed += 1;
    const isFailing = isFailure(status) && counts.all > 1 && counts.failed * 2 > counts.all;
    if (status !== 'rate_limited' && !isFailing) return;
    this.aloneUntilMs[offering] = seenMs + (retryAfterMs ?? cooldownMs);
  }
}
