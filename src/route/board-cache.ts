import { Board, type KeptPlan } from './board.js';
import type { Snapshot } from './snapshot.js';
import { TickMemory } from './tick-memory.js';

/** Runs something soon, after what waits now. */
export type Later = (run: () => void) => void;

/** Boards of the newest seconds: enough for both kinds of answer while a second turns. */
const BOARDS_MAX = 8;
/** Two kinds of answer, while a tick turns. */
const MEMORIES_MAX = 4;
/** Plans that are made ahead without a break: some tenths of a millisecond. */
const SLICE_PLANS = 8;
/** For one board: of a state each 100 ms, a tenth of a core or so. */
const AHEAD_PLANS_MAX = 256;
/** A plan that was made ahead so often in a row, and not asked for, is not made again. */
const IDLE_MAX = 8;

/**
 * Boards of the states and seconds that requests come with. With `later`, what was asked for of the
 * last boards is made for a new one as soon as it is there, before anybody waits for it.
 */
export class BoardCache {
  /** Oldest first. */
  #boards: Board[] = [];
  #memories: TickMemory[] = [];
  readonly #later: Later | null;

  constructor(later: Later | null = null) {
    this.#later = later;
  }

  /** Forgets everything; answers how many plans there were. */
  clear(): number {
    const plans = this.#boards.reduce((sum, board) => sum + board.planCount, 0);
    this.#boards = [];
    this.#memories = [];
    return plans;
  }

  /** Takes up a new state before the first request that it answers. */
  renew(snapshot: Snapshot, asOf: number): void {
    for (const stream of [true, false]) {
      const isUsed = this.#boards.some((board) => board.stream === stream);
      if (isUsed) this.boardOf(snapshot, asOf, stream);
    }
  }

  boardOf(snapshot: Snapshot, asOf: number, stream: boolean): Board {
    let last: Board | null = null;
    for (const board of this.#boards) {
      if (board.stream !== stream) continue;
      if (board.snapshot === snapshot && board.asOf === asOf) return board;
      last = board;
    }
    const board = new Board(snapshot, asOf, stream, this.#memoryOf(snapshot, asOf, stream));
    this.#boards = [...this.#boards.slice(1 - BOARDS_MAX), board];
    if (last !== null && this.#later !== null) this.#makeAhead(board, last, this.#later);
    return board;
  }

  #memoryOf(snapshot: Snapshot, asOf: number, stream: boolean): TickMemory {
    const known = this.#memories.find((memory) => memory.isFor(snapshot, asOf, stream));
    if (known !== undefined) return known;
    const memory = new TickMemory(snapshot, asOf, stream);
    this.#memories = [...this.#memories.slice(1 - MEMORIES_MAX), memory];
    return memory;
  }

  /** Those that were asked for last come first. */
  #makeAhead(board: Board, last: Board, later: Later): void {
    const wanted = [...last.plans].filter(({ idle }) => idle < IDLE_MAX);
    const plans = wanted.toSorted((a, b) => a.idle - b.idle).slice(0, AHEAD_PLANS_MAX);
    let next = 0;
    const slice = (): void => {
      if (!this.#isNewest(board)) return;
      const end = Math.min(next + SLICE_PLANS, plans.length);
      for (; next < end; next++) tryAhead(board, plans[next]!);
      if (next < plans.length) later(slice);
    };
    later(slice);
  }

  #isNewest(board: Board): boolean {
    return this.#boards.findLast(({ stream }) => stream === board.stream) === board;
  }
}

/** Whom a request finds nobody for learns it when it is asked. */
function tryAhead(board: Board, plan: KeptPlan): void {
  try {
    board.makeAhead(plan);
  } catch {
    // It is told to the next request that asks.
  }
}
