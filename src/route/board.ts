import type { PriceTier } from '../event/outcome.js';
import type { ModelsValueOffering } from '../hotkeys/values.js';
import { type Breaker, breakersOf } from './breaker.js';
import { type Estimates, Evidence } from './evidence.js';
import { kept } from './kept.js';
import type { Plan } from './plan.js';
import { tiersAt } from './price.js';
import type { Snapshot } from './snapshot.js';
import { tickOf } from './window.js';

/** All that a decision reads of one offering. */
export interface OfferingView extends Estimates {
  offering: ModelsValueOffering;
  breaker: Breaker;
  /** Price in force; null = unknown. */
  tiers: readonly PriceTier[] | null;
}

/** What a decision computed of a board, kept for those that ask the same of it. */
const PLANS_MAX = 1024;

/**
 * The state as of one second, for streamed or for whole answers, as decisions read it. Everything
 * is a pure function of (snapshot, as-of second, stream), computed when first asked for and kept,
 * so a model that nobody asks for costs nothing and a decision is a table look-up.
 */
export class Board {
  readonly snapshot: Snapshot;
  /** Seconds since the epoch. */
  readonly asOf: number;
  readonly stream: boolean;
  /** What does not change within the second's tick. */
  readonly evidence: Evidence;
  /** How many were not there when they were asked for. */
  plansMade = 0;
  readonly #breakerOf: (offering: ModelsValueOffering) => Breaker;
  readonly #views = new Map<string, OfferingView>();
  readonly #plans = new Map<string, Plan>();

  constructor(
    snapshot: Snapshot,
    asOf: number,
    stream: boolean,
    evidence: Evidence = new Evidence(snapshot, asOf, stream),
  ) {
    this.snapshot = snapshot;
    this.asOf = asOf;
    this.stream = stream;
    this.evidence = evidence;
    this.#breakerOf = breakersOf(snapshot, asOf);
  }

  view(offering: ModelsValueOffering): OfferingView {
    return kept(this.#views, offering.offering, () => ({
      offering,
      breaker: this.#breakerOf(offering),
      ...this.evidence.estimates(offering),
      tiers: tiersAt(offering, this.asOf),
    }));
  }

  /** The plan of a key, made at most once while it is kept; the oldest gives way. */
  plan(key: string, make: () => Plan): Plan {
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const plan = make();
    this.plansMade += 1;
    if (this.#plans.size >= PLANS_MAX) this.#plans.delete(this.#plans.keys().next().value!);
    this.#plans.set(key, plan);
    return plan;
  }
}

/** Boards of the newest seconds: enough for both kinds of answer while a second turns. */
const BOARDS_MAX = 8;

export class BoardCache {
  /** Oldest first. */
  #boards: Board[] = [];

  /** Forgets everything; answers how many plans there were. */
  clear(): number {
    const plans = this.#boards.reduce((sum, board) => sum + board.plansMade, 0);
    this.#boards = [];
    return plans;
  }

  boardOf(snapshot: Snapshot, asOf: number, stream: boolean): Board {
    const ofKind = this.#boards.filter(
      (board) => board.stream === stream && board.snapshot === snapshot,
    );
    const known = ofKind.find((board) => board.asOf === asOf);
    if (known !== undefined) return known;
    const sameTick = ofKind.find((board) => tickOf(board.asOf) === tickOf(asOf));
    const board = new Board(snapshot, asOf, stream, sameTick?.evidence);
    this.#boards = [...this.#boards.slice(1 - BOARDS_MAX), board];
    return board;
  }
}
