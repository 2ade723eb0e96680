import { Board, type KeptPlan } from './board.js';
import type { Snapshot } from './snapshot.js';
import { TickMemory } from './tick-memory.js';

/** Runs something soon, after what waits now. */
export type Later = (run: () => void) => void;

/** Boards of the newest seconds: enough for both kinds of answer while a second turns. */
const BOARDS_MAX = 8;
/** Two kinds of answer, while a tick turns. */
const MEMORIES_MAX = 4;
/** Plans are made ahead in slices, so that no request waits long for them. */
const SLICE_MS = 1;
/** For one board: of a state each 100 ms, a tenth of a core at most. */
const AHEAD_MS_MAX = 10;
/** A plan that was made ahead so often in a row, and not asked for, is not made again. */
const IDLE_MAX = 3;

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

  #makeAhead(board: Board, last: Board, later: Later): void {
    const plans = [...last.plans].filter(({ idle }) => idle < IDLE_MAX);
    let next = 0;
    let spentMs = 0;
    const slice = (): void => {
      const startedAt = performance.now();
      let sliceMs = 0;
      while (next < plans.length && sliceMs < SLICE_MS) {
        tryAhead(board, plans[next]!);
        next += 1;
        sliceMs = performance.now() - startedAt;
      }
      spentMs += sliceMs;
      if (next < plans.length && spentMs < AHEAD_MS_MAX && this.#isNewest(board)) later(slice);
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
