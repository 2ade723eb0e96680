/**
 * The hot keys, as writers and readers see them. Adapters: in the process, over loopback to the
 * process that owns the embedded state, and Redis; one contract suite holds for all
 * (test/hotkeys/contract.ts).
 *
 * A generation (`ar:gen`) is a projection version of one database; all its keys stand together.
 * The keys come in two lanes that advance on their own: `health` (written at once, what freshness
 * is measured on) and `metrics` (everything else, written at most once a second a key). The vector
 * of a lane is advanced only together with every value that was marked below it.
 */

/** Next offset by partition, by topic. */
export type Vector = Readonly<Record<string, readonly number[]>>;

export const LANES = ['health', 'metrics'] as const;
export type Lane = (typeof LANES)[number];

export interface LaneState {
  /** Sum of the vector: what tells newer from older. */
  version: number;
  vector: Vector;
  /** ms since the epoch, writer's clock */
  writtenAtMs: number;
}

/** The `state` hash of a generation. */
export interface HotState {
  /** Drawn anew whenever the state is made anew: a reader that knows another one reads everything. */
  epoch: string;
  /** Rises by one with every write that changed a value; what compare-and-set and readers go by. */
  revision: number;
  lanes: Readonly<Record<Lane, LaneState | null>>;
}

export interface HotWrite {
  lane: Lane;
  next: LaneState;
  /** Values by key name, JSON text; null removes the key. */
  values: ReadonlyMap<string, string | null>;
  /**
   * Replace everything: `values` is the lane's complete content, and its keys that are not in
   * `values` are removed. Needed to make a lost state anew.
   */
  complete: boolean;
}

export interface HotRead {
  generation: string;
  state: HotState;
  /** Values that changed since the reader's revision; null = removed. All of them on a new epoch. */
  changed: ReadonlyMap<string, string | null>;
  /** True where `changed` is everything: the reader starts anew. */
  complete: boolean;
}

export interface HotKeys {
  /** The generation in force; null = none was written yet. */
  generation(): Promise<string | null>;
  setGeneration(generation: string): Promise<void>;
  /** The state of a generation; null where it is lost or was never written. */
  state(generation: string): Promise<HotState | null>;
  /**
   * In one atomic step: writes the values and the lane's new state, only if the stored state is
   * still `expected` (same epoch and revision; null = there is none) and the lane's version does
   * not go back. False = someone else wrote: the caller begins again. An equal version with no
   * values renews the lifetimes and leaves the revision as it is.
   */
  write(generation: string, expected: HotState | null, write: HotWrite): Promise<boolean>;
  /**
   * In one atomic step: the generation in force, its state and every value that changed since.
   * Null = no generation, or a listed key is missing (a loss): the reader keeps what it has.
   */
  read(
    since: { generation: string; epoch: string; revision: number } | null,
  ): Promise<HotRead | null>;
  /** True where a listed key of the generation is missing, or there is no state. */
  isLost(generation: string): Promise<boolean>;
  close(): Promise<void>;
}
