import { Board, type KeptPlan } from './board.js';
import type { Snapshot } from './snapshot.js';
import { TickMemory } from './tick-memory.js';

/** Runs something soon, after what waits now. */
export type Later = (run: () => void) => void;

/** Boards of the newest seconds: enough for both kinds of answer while a second turns. */
const BOARDS_MAX = 8;
/** Two kinds of answer, while a tick turns. */
const MEMORIES_MAX = 4;
/** Plans that are made ahead without a break: so many at least, and for so long at least. */
const SLICE_PLANS = 8;
/** As long as a request may wait behind them. */
const SLICE_MS = 2;
/**
 * What came between two slices took longer: the loop is full, and making plans that one of eight
 * requests asks for would keep the others waiting. Who asks makes its own.
 */
const BUSY_MS = 20;
/** For one board: of a state each 100 ms, a tenth of a core or so. */
const AHEAD_PLANS_MAX = 256;
/** A plan that was made ahead so often, for three seconds or so, and not asked for, is left off. */
const IDLE_MAX = 30;

/**
 * Boards of the states and seconds that requests come with. With `later`, what was asked for of the
 * last boards is made for a new one as soon as it is there, before anybody waits for it.
 */
export class BoardCache {
  /** Oldest first. */
  #boards: Board[] = [];
  #memories: TickMemory[] = [];
  /** By kind of answer: what was still to be made ahead when the newest slice ended. */
  readonly #waiting = new Map<boolean, readonly KeptPlan[]>();
  readonly #later: Later | null;
  readonly #nowMs: () => number;

  /** `nowMs`: monotonic. */
  constructor(later: Later | null = null, nowMs: () => number = () => performance.now()) {
    this.#later = later;
    this.#nowMs = nowMs;
  }

  /** Forgets everything; answers how many plans there were. */
  clear(): number {
    const plans = this.#boards.reduce((sum, board) => sum + board.planCount, 0);
    this.#boards = [];
    this.#memories = [];
    this.#waiting.clear();
    return plans;
  }

  /** Takes up a new state before the first request that it answers. */
  renew(snapshot: Snapshot, asOf: number): void {
    for (const stream of [true, false]) {
      const isUsed = this.#boards.some((board) => board.stream === stream);
      // Requests may have arrived with the state: the first slice is made before they are looked at.
      if (isUsed) this.boardOf(snapshot, asOf, stream, (slice) => slice());
    }
  }

  /** `start`: when the first slice of plans is made ahead. */
  boardOf(
    snapshot: Snapshot,
    asOf: number,
    stream: boolean,
    start: Later | null = this.#later,
  ): Board {
    let last: Board | null = null;
    for (const board of this.#boards) {
      if (board.stream !== stream) continue;
      if (board.snapshot === snapshot && board.asOf === asOf) return board;
      last = board;
    }
    const board = new Board(snapshot, asOf, stream, this.#memoryOf(snapshot, asOf, stream));
    this.#boards = [...this.#boards.slice(1 - BOARDS_MAX), board];
    if (last !== null && this.#later !== null) {
      const slice = this.#sliceOf(board, last, this.#later);
      start?.(slice);
    }
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
  #sliceOf(board: Board, last: Board, later: Later): () => void {
    const left = this.#waiting.get(board.stream) ?? [];
    const wanted = [...last.plans, ...left].filter(({ idle }) => idle < IDLE_MAX);
    const plans = wanted.toSorted((a, b) => a.idle - b.idle).slice(0, AHEAD_PLANS_MAX);
    let next = 0;
    let dueMs = this.#nowMs();
    const slice = (): void => {
      // A newer state has come: its slices go on with what was left.
      if (!this.#isNewest(board) || this.#nowMs() - dueMs > BUSY_MS) return;
      const leastEnd = Math.min(next + SLICE_PLANS, plans.length);
      const endMs = this.#nowMs() + SLICE_MS;
      while (next < leastEnd || (next < plans.length && this.#nowMs() < endMs)) {
        tryAhead(board, plans[next]!);
        next += 1;
      }
      this.#waiting.set(board.stream, plans.slice(next));
      dueMs = this.#nowMs();
      if (next < plans.length) later(slice);
    };
    this.#waiting.set(board.stream, plans);
    return slice;
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
