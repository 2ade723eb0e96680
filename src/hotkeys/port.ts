/**
 * The hot keys, as writers and readers see them. Adapters: in the process, over loopback to the
 * process that owns the embedded state, and Redis; one contract suite holds for all
 * (test/hotkeys/contract.ts).
 *
 * A generation (`ar:gen`) is a projection version of one database; all its keys stand together.
 * The keys come in two lanes that advance on their own: `health` (written at once, what freshness
 * is measured on) and `metrics` (everything else, written at most once a second a key). The vector
 * of a lane is advanced only together with every value that was marked below it.
 *
 * Every method rejects with `hot_keys_unavailable` where the keys cannot be reached, within a
 * bounded time.
 */

/** Next offset by partition, by topic. */
export type Vector = Readonly<Record<string, readonly number[]>>;

export const LANES = ['health', 'metrics'] as const;
export type Lane = (typeof LANES)[number];

export interface LaneState {
  /** Sum of the vector: what tells newer from older. */
  version: number;
  vector: Vector;
  /**
   * ms since the epoch, writer's clock: when the values were last found equal to the database.
   * A renewal moves it too: it is old only where no writer is at work.
   */
  writtenAtMs: number;
}

export interface StoredLane extends LaneState {
  /**
   * Drawn by the write that last changed the lane: what compare-and-set goes by. Lanes have their
   * own, so that a slow write of one is not thrown back by each quick write of the other.
   */
  writeId: string;
}

/** The `state` hash of a generation. */
export interface HotState {
  /** Drawn anew whenever the state is made anew: a reader that knows another one reads everything. */
  epoch: string;
  /** Rises by one with every write that changed a value or a lane's version. */
  revision: number;
  /**
   * Drawn by the write that made this revision. A fail-over to a replica that lacks the newest
   * writes counts their revisions a second time: the id tells one from the other.
   */
  writeId: string;
  /** Null = never written: the state is not whole yet, and readers do not get it. */
  lanes: Readonly<Record<Lane, StoredLane | null>>;
}

export interface HotWrite {
  lane: Lane;
  next: LaneState;
  /** Values by key name, JSON text; null removes the key. */
  values: ReadonlyMap<string, string | null>;
  /**
   * Replace everything: `values` is the lane's complete content, and its keys that are not in
   * `values` are removed. Required where the lane has no state: it makes a lost state anew.
   */
  complete: boolean;
}

/** What a reader has read up to; `position(read)` makes it. */
export interface HotPosition {
  generation: string;
  epoch: string;
  revision: number;
  writeId: string;
}

export interface HotRead {
  generation: string;
  state: HotState;
  /** Values that changed since the reader's position; null = removed. */
  changed: ReadonlyMap<string, string | null>;
  /** True where `changed` is everything: the reader starts anew. */
  complete: boolean;
}

/** What the store says of itself, in Redis's own words; null = it does not. */
export interface StoreFigures {
  connected_clients: number | null;
  used_memory_human: string | null;
  keyspace_hits: number | null;
  keyspace_misses: number | null;
}

export const FIGURES_TTL_SECONDS = 60;

export interface HotKeys {
  /** The generation in force; null = none was written yet. */
  generation(): Promise<string | null>;
  /** Puts `next` in force, only if `expected` still is. */
  setGeneration(expected: string | null, next: string): Promise<boolean>;
  /** The state of a generation; null where it is lost or was never written. */
  state(generation: string): Promise<HotState | null>;
  /**
   * In one atomic step: writes the values and the lane's new state, only if the lane is still as
   * in `expected` (null = there is no state at all) and its version does not go back. False =
   * someone else wrote: the caller begins again. Renews the lifetimes of all keys of the lane. A
   * value that is equal to the stored one is no change: a write of an equal version that changes
   * no value leaves the revision as it is.
   */
  write(generation: string, expected: HotState | null, write: HotWrite): Promise<boolean>;
  /**
   * The generation in force and, in one atomic step, its state and every value that changed since
   * the position; all of them where the position is unknown here (another epoch, or too long ago).
   * Null = no generation, a lane was never written, or a listed key is missing (a loss): the
   * reader keeps what it has.
   */
  read(since: HotPosition | null): Promise<HotRead | null>;
  /** True where a generation is not whole: no state, a lane never written or a listed key missing. */
  isLost(generation: string): Promise<boolean>;
  /**
   * Figures for people: of the store, and of the database as they were put last (null = none, or
   * too long ago). No projection: nothing is decided by them, and no generation has them.
   */
  figures(): Promise<{ store: StoreFigures; database: string | null }>;
  /** Keeps figures of the database, JSON text, for FIGURES_TTL_SECONDS; the last ones stand. */
  putDatabaseFigures(text: string): Promise<void>;
  close(): Promise<void>;
}

export function position(read: HotRead): HotPosition {
  const { epoch, revision, writeId } = read.state;
  return { generation: read.generation, epoch, revision, writeId };
}

/** The version of a vector: the sum of its offsets. */
export function vectorVersion(vector: Vector): number {
  let version = 0;
  for (const offsets of Object.values(vector)) for (const offset of offsets) version += offset;
  return version;
}
