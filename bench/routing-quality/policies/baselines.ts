import { chance, PURPOSE } from '../chance.js';
import { weightsOf } from '../offerings.js';
import type { NamedPolicy, Policy } from '../policy.js';
import { type Expected, lossOf, type Truth } from '../truth.js';
import { type Arrival, ATTEMPTS_MAX, type World } from '../world.js';

export const uniform: NamedPolicy = {
  name: 'uniform',
  make: (world) =>
    new Drawn(
      world,
      world.offerings.map(() => 1),
    ),
};

/** Weights as an operator writes them once, from the prices. */
export const weighted: NamedPolicy = {
  name: 'weighted',
  make: (world) => new Drawn(world, weightsOf(world)),
};

/** Knows the truth of each moment, and takes the order of the least expected loss. */
export const oracle: NamedPolicy = {
  name: 'oracle',
  make: (world, truth) => new Oracle(world, truth),
};

class Drawn implements Policy {
  readonly #world: World;
  readonly #weights: readonly number[];

  constructor(world: World, weights: readonly number[]) {
    this.#world = world;
    this.#weights = weights;
  }

  seeOutcome(): void {}
  seeGauges(): void {}

  rank(atMs: number, _arrival: Arrival, request: number): number[] {
    const weights = [...this.#current(atMs)];
    const slate: number[] = [];
    while (slate.length < ATTEMPTS_MAX && weights.some((weight) => weight > 0)) {
      const draw = chance(this.#world.seed, PURPOSE.policy, request, slate.length);
      const index = indexBy(weights, draw);
      slate.push(index);
      weights[index] = 0;
    }
    return slate;
  }

  shares(atMs: number): number[] {
    const weights = this.#current(atMs);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  }

  #current(atMs: number): number[] {
    return this.#weights.map((weight, i) =>
      this.#world.offerings[i]!.fromMs <= atMs ? weight : 0,
    );
  }
}

/** Index of a weight, in proportion; `draw` is of [0, 1). */
function indexBy(weights: readonly number[], draw: number): number {
  let left = draw * weights.reduce((sum, weight) => sum + weight, 0);
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i]! <= 0) continue;
    last = i;
    left -= weights[i]!;
    if (left < 0) break;
  }
  return last;
}

class Oracle implements Policy {
  readonly #world: World;
  readonly #truth: Truth;

  constructor(world: World, truth: Truth) {
    this.#world = world;
    this.#truth = truth;
  }

  seeOutcome(): void {}
  seeGauges(): void {}

  rank(atMs: number, arrival: Arrival): number[] {
    const offered = this.#world.offerings.flatMap((_, index) =>
      this.#truth.isOffered(index, atMs)
        ? [{ index, expected: this.#truth.expect(index, atMs, arrival) }]
        : [],
    );
    return leastLoss(offered);
  }

  shares(atMs: number, arrival: Arrival): number[] {
    const [first] = this.rank(atMs, arrival);
    return this.#world.offerings.map((_, index) => (index === first ? 1 : 0));
  }
}

interface Choice {
  index: number;
  expected: Expected;
}

/** The order of the least expected loss among all orders, counting the load made for others. */
export function leastLoss(choices: readonly Choice[]): number[] {
  let best: readonly Choice[] = [];
  let least = Number.POSITIVE_INFINITY;
  const extend = (slate: readonly Choice[]): void => {
    if (slate.length === Math.min(ATTEMPTS_MAX, choices.length)) {
      const loss = lossOf(
        slate.map(({ expected: { success, costToAll } }) => ({
          success,
          cost: costToAll,
          costToAll,
        })),
      );
      if (loss < least) {
        least = loss;
        best = slate;
      }
      return;
    }
    for (const choice of choices) if (!slate.includes(choice)) extend([...slate, choice]);
  };
  extend([]);
  return best.map(({ index }) => index);
}
