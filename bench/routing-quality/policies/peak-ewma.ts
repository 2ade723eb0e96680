import type { Gauge, Seen } from '../policy.js';
import { timeValue } from '../truth.js';
import { type Arrival, costOf, priceAt, type World } from '../world.js';
import { Peer } from './peer.js';
import { isFailure, referenceOf } from './utility.js';

/**
 * Two offerings by chance, of which the one with the lower load: a peak-sensitive moving average
 * of latency times the attempts in flight (Finagle's peak EWMA, as proxies have it). A higher
 * latency counts at once, a lower one with the decay.
 */
export interface PeakEwmaSettings {
  by: 'latency' | 'utility';
  decayMs: number;
  /** What is assumed before the first sample, in references. */
  firstRatio: number;
  /** A failure counts as a sample of that many references; 0 = it is none. */
  failureReferences: number;
  /** Whether the attempts in flight multiply the cost. */
  readsGauges: boolean;
  /** Left alone for a minute above this ratio of failures, of 20 outcomes; 1 = never. */
  ejectAbove: number;
}

export const PEAK_EWMA_SHIPPED: PeakEwmaSettings = {
  by: 'latency',
  decayMs: 30_000,
  firstRatio: 0.25,
  failureReferences: 0,
  readsGauges: true,
  ejectAbove: 0.1,
};

const EJECT_OUTCOMES = 20;
const EJECT_MS = 60_000;

export class PeakEwma extends Peer {
  readonly #settings: PeakEwmaSettings;
  readonly #ratios: number[];
  readonly #seenMs: number[];
  readonly #inFlight: number[];
  readonly #recent: { atMs: number; failed: boolean }[][];

  constructor(world: World, settings: PeakEwmaSettings) {
    super(world);
    this.#settings = settings;
    this.#ratios = world.offerings.map(() => settings.firstRatio);
    this.#seenMs = world.offerings.map(() => 0);
    this.#inFlight = world.offerings.map(() => 0);
    this.#recent = world.offerings.map(() => []);
  }

  seeOutcome(seen: Seen): void {
    const { offering, seenMs, status, durationMs, arrival, retryAfterMs } = seen;
    const failed = isFailure(status);
    const { failureReferences, decayMs } = this.#settings;
    let ratio = durationMs / referenceOf(arrival);
    if (failed) ratio = failureReferences === 0 ? 0 : Math.max(ratio, failureReferences);
    if (ratio > 0) {
      const before = this.#ratios[offering]!;
      const weight = Math.exp(-(seenMs - this.#seenMs[offering]!) / decayMs);
      this.#ratios[offering] = ratio > before ? ratio : before * weight + ratio * (1 - weight);
      this.#seenMs[offering] = seenMs;
    }
    if (retryAfterMs !== null) this.aloneUntilMs[offering] = seenMs + retryAfterMs;
    this.#eject(seen, failed);
  }

  seeGauges(_atMs: number, gauges: readonly Gauge[]): void {
    gauges.forEach(({ inFlight }, index) => {
      this.#inFlight[index] = inFlight;
    });
  }

  protected choose(among: readonly number[], atMs: number, arrival: Arrival): number {
    const first = Math.floor(this.draw() * among.length);
    const second = Math.floor(this.draw() * (among.length - 1));
    const a = among[first]!;
    if (among.length === 1) return a;
    const b = among[second >= first ? second + 1 : second]!;
    return this.#costOf(a, atMs, arrival) <= this.#costOf(b, atMs, arrival) ? a : b;
  }

  #costOf(index: number, atMs: number, arrival: Arrival): number {
    const { by, readsGauges } = this.#settings;
    const load = readsGauges ? this.#inFlight[index]! + 1 : 1;
    if (by === 'latency') return this.#ratios[index]! * load;
    const price = costOf(priceAt(this.world.offerings[index]!, atMs), arrival);
    return (price + timeValue(this.#ratios[index]! * referenceOf(arrival))) * load;
  }

  #eject({ offering, seenMs }: Seen, failed: boolean): void {
    const recent = this.#recent[offering]!;
    recent.push({ atMs: seenMs, failed });
    while (recent[0]!.atMs < seenMs - EJECT_MS) recent.shift();
    const ratio = recent.filter((it) => it.failed).length / recent.length;
    if (recent.length < EJECT_OUTCOMES || ratio <= this.#settings.ejectAbove) return;
    this.aloneUntilMs[offering] = Math.max(this.aloneUntilMs[offering]!, seenMs + 5_000);
  }
}
