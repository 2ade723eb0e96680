import { normalOf } from '../chance.js';
import type { Gauge, Seen } from '../policy.js';
import type { Arrival, World } from '../world.js';
import { Peer } from './peer.js';
import { costOfSuccess, isFailure, referenceOf } from './utility.js';

/**
 * Discounted Thompson sampling: what an outcome counts for decays with time; each choice draws
 * from what is then thought of each and takes the least. As it stands in the literature the
 * reward is success alone (Beta); with the shared utility, success and the time's logarithm.
 */
export interface ThompsonSettings {
  by: 'success' | 'utility';
  halfLifeMs: number;
  /** What the prior counts for, in outcomes. */
  priorSuccess: number;
  priorTime: number;
  /** Standard deviations are multiplied by it: 1 = as they are. */
  exploration: number;
  /** Overdue attempts count as failures so far. */
  readsGauges: boolean;
}

export const THOMPSON_SHIPPED: ThompsonSettings = {
  by: 'success',
  halfLifeMs: 60_000,
  priorSuccess: 2,
  priorTime: 1,
  exploration: 1,
  readsGauges: false,
};

interface Belief {
  atMs: number;
  success: number;
  failure: number;
  /** Discounted count, sum and sum of squares of log(time / reference). */
  count: number;
  sum: number;
  squares: number;
  overdue: number;
}

export class Thompson extends Peer {
  readonly #settings: ThompsonSettings;
  readonly #beliefs: Belief[];

  constructor(world: World, settings: ThompsonSettings) {
    super(world);
    this.#settings = settings;
    const none = { atMs: 0, success: 0, failure: 0, count: 0, sum: 0, squares: 0, overdue: 0 };
    this.#beliefs = world.offerings.map(() => ({ ...none }));
  }

  seeOutcome({ offering, seenMs, status, durationMs, arrival, retryAfterMs }: Seen): void {
    const belief = this.#at(offering, seenMs);
    if (retryAfterMs !== null && this.#settings.by === 'utility') {
      this.aloneUntilMs[offering] = seenMs + retryAfterMs;
    }
    if (isFailure(status)) {
      belief.failure += 1;
      return;
    }
    const log = Math.log(durationMs / referenceOf(arrival));
    belief.success += 1;
    belief.count += 1;
    belief.sum += log;
    belief.squares += log * log;
  }

  seeGauges(_atMs: number, gauges: readonly Gauge[]): void {
    if (!this.#settings.readsGauges) return;
    gauges.forEach(({ overdue }, index) => {
      this.#beliefs[index]!.overdue = overdue;
    });
  }

  protected choose(among: readonly number[], atMs: number, arrival: Arrival): number {
    let best = among[0]!;
    let least = Number.POSITIVE_INFINITY;
    for (const index of among) {
      const cost = this.#drawCost(index, atMs, arrival);
      if (cost < least) {
        least = cost;
        best = index;
      }
    }
    return best;
  }

  #drawCost(index: number, atMs: number, arrival: Arrival): number {
    const belief = this.#at(index, atMs);
    const { by, priorSuccess, priorTime, exploration } = this.#settings;
    const prior = by === 'success' ? 0.5 : 0.95;
    const a = belief.success + priorSuccess * prior;
    const b = belief.failure + belief.overdue + priorSuccess * (1 - prior);
    const x = this.#gamma(a);
    const success = x / (x + this.#gamma(b));
    if (by === 'success') return -success;
    const count = belief.count + priorTime;
    const mean = belief.sum / count;
    const within = Math.max(
      0,
      belief.squares - (belief.sum * belief.sum) / Math.max(belief.count, 1e-9),
    );
    const variance = (2 * 0.25 + within) / (2 + belief.count);
    const drawn = mean + exploration * Math.sqrt(variance / count) * this.#normal();
    return costOfSuccess(this.world, index, atMs, arrival, Math.exp(drawn + variance / 2), success);
  }

  #at(index: number, atMs: number): Belief {
    const belief = this.#beliefs[index]!;
    if (atMs > belief.atMs) {
      const kept = 0.5 ** ((atMs - belief.atMs) / this.#settings.halfLifeMs);
      belief.success *= kept;
      belief.failure *= kept;
      belief.count *= kept;
      belief.sum *= kept;
      belief.squares *= kept;
      belief.atMs = atMs;
    }
    return belief;
  }

  #normal(): number {
    return normalOf(this.draw(), this.draw());
  }

  /** Gamma(shape, 1) (Marsaglia and Tsang, 2000). */
  #gamma(shape: number): number {
    if (shape < 1) return this.#gamma(shape + 1) * this.draw() ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.#normal();
      const v = (1 + c * x) ** 3;
      if (v <= 0) continue;
      if (Math.log(1 - this.draw()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v;
    }
  }
}
