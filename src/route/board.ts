import type { PriceTier } from '../event/outcome.js';
import type { ModelsValueOffering } from '../hotkeys/values.js';
import { type Breaker, breakersOf } from './breaker.js';
import type { Estimates } from './estimate.js';
import { Evidence } from './evidence.js';
import { kept } from './kept.js';
import type { Plan } from './plan.js';
import { tiersAt } from './price.js';
import type { Snapshot } from './snapshot.js';
import { TickMemory } from './tick-memory.js';

/** All that a decision reads of one offering. */
export interface OfferingView extends Estimates {
  offering: ModelsValueOffering;
  breaker: Breaker;
  /** Price in force; null = unknown. */
  tiers: readonly PriceTier[] | null;
}

/** What asks for a plan. */
export interface PlanAsked {
  /** All of the request that a plan depends on, and of the policy. */
  key: string;
  /** Names and aliases of the models that it is among. */
  models: readonly string[];
  make: () => Plan;
  /** Asks another board for the same. */
  again: (board: Board) => void;
}

/** A plan that a board holds. */
export interface KeptPlan {
  plan: Plan;
  again: (board: Board) => void;
  /** Boards in a row on which it was made ahead and nobody asked for it. */
  idle: number;
}

/** What a decision computed of a board, kept for those that ask the same of it. */
const PLANS_MAX = 1024;
/** Plans for longer requests are made each time: nobody asks the same, and memory is bounded. */
const KEY_LENGTH_MAX = 4_096;

/**
 * The state as of one second, for streamed or for whole answers, as decisions read it. Everything
 * is a pure function of (snapshot, as-of second, stream), computed when first asked for and kept,
 * so a model that nobody asks for costs nothing and a decision is a table look-up. What the tick's
 * memory holds of the same inputs is taken from there.
 */
export class Board {
  readonly snapshot: Snapshot;
  /** Seconds since the epoch. */
  readonly asOf: number;
  readonly stream: boolean;
  /** What does not change within the second's tick. */
  readonly evidence: Evidence;
  /** How many were made while a request waited for them. */
  plansMade = 0;
  readonly #memory: TickMemory;
  readonly #breakerOf: (offering: ModelsValueOffering) => Breaker;
  readonly #views = new Map<string, OfferingView>();
  readonly #plans = new Map<string, KeptPlan>();
  /** While plans are made ahead: as which `KeptPlan.idle`. */
  #aheadIdle = 0;

  constructor(
    snapshot: Snapshot,
    asOf: number,
    stream: boolean,
    memory: TickMemory = new TickMemory(snapshot, asOf, stream),
  ) {
    this.snapshot = snapshot;
    this.asOf = asOf;
    this.stream = stream;
    this.evidence = memory.evidenceOf(snapshot, () => new Evidence(snapshot, asOf, stream, memory));
    this.#memory = memory;
    this.#breakerOf = breakersOf(snapshot, asOf);
  }

  /** The same object for as long as the memory lasts and nothing of it changed. */
  view(offering: ModelsValueOffering): OfferingView {
    const key = offering.offering;
    return kept(this.#views, key, () => {
      const breaker = this.#breakerOf(offering);
      const estimates = this.evidence.estimates(offering);
      const tiers = tiersAt(offering, this.asOf);
      const { state, share, reason } = breaker;
      return this.#memory.views.get(key, [estimates, tiers, state, share, reason], () => ({
        offering,
        breaker,
        ...estimates,
        tiers,
      }));
    });
  }

  /** The plan of a key, made at most once while it is kept; the oldest gives way. */
  plan({ key, models, make, again }: PlanAsked): Plan {
    if (key.length > KEY_LENGTH_MAX) {
      this.plansMade += 1;
      return make();
    }
    const known = this.#plans.get(key);
    if (known !== undefined) {
      if (this.#aheadIdle === 0) known.idle = 0;
      return known.plan;
    }
    const plan = this.#memory.plans.get(key, this.#inputsOf(models), () => {
      if (this.#aheadIdle === 0) this.plansMade += 1;
      return make();
    });
    if (this.#plans.size >= PLANS_MAX) this.#plans.delete(this.#plans.keys().next().value!);
    this.#plans.set(key, { plan, again, idle: this.#aheadIdle });
    return plan;
  }

  get plans(): Iterable<KeptPlan> {
    return this.#plans.values();
  }

  get planCount(): number {
    return this.#plans.size;
  }

  /** Makes a plan of another board for this one, before anybody asks for it. */
  makeAhead({ again, idle }: KeptPlan): void {
    this.#aheadIdle = idle + 1;
    try {
      again(this);
    } finally {
      this.#aheadIdle = 0;
    }
  }

  /**
   * All that a plan among models can read, but for what the memory is of: a view is another one
   * whenever a row or a gauge of its offering changed, or what its priors rest on.
   */
  #inputsOf(models: readonly string[]): unknown[] {
    const { catalogue, providers, metrics, state } = this.snapshot;
    const inputs: unknown[] = [providers, metrics, state === null];
    for (const name of models) {
      const model = catalogue.aliases.get(name) ?? name;
      for (const offering of catalogue.offeringsByModel.get(model) ?? []) {
        inputs.push(this.view(offering));
      }
    }
    return inputs;
  }
}
