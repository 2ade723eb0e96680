import type { Clock } from '../clock.js';
import {
  type HotKeys,
  type HotState,
  type Lane,
  type StoredLane,
  type Vector,
  vectorVersion,
} from './port.js';
import type { HotSource } from './source.js';

/** Each attempt is lost only to another writer that got through. */
const ATTEMPTS_MAX = 5;

export interface LaneRefresh {
  source: HotSource;
  hotKeys: HotKeys;
  clock: Clock;
  generation: string;
  lane: Lane;
  /** Write everything, also where nothing changed. */
  remake: boolean;
}

export type LaneOutcome =
  /** The lane now holds all that was committed before the call. */
  | { result: 'written' }
  /** Others wrote at each attempt. */
  | { result: 'contended' }
  /** The database stands below what was written from it: nothing goes back, lifetimes are renewed. */
  | { result: 'behind'; version: number; storedVersion: number };

/**
 * Brings one lane up to the source. The state is read before the source and the write is
 * conditional on it: so the source's vector cannot be below the lane's, and no value that was
 * marked between the two is passed over.
 */
export async function refreshLane(refresh: LaneRefresh): Promise<LaneOutcome> {
  const { hotKeys, generation, lane } = refresh;
  let lost: LostAttempt | null = null;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const state = await hotKeys.state(generation);
    const stored = state?.lanes[lane] ?? null;
    if (lost !== null && isDoneByAnother(lost, state, stored, refresh.remake)) {
      return { result: 'written' };
    }
    const complete = refresh.remake || stored === null;
    const fresh = await readSource(refresh.source, lane, complete ? null : stored.vector);
    const version = vectorVersion(fresh.vector);

    if (state !== null && stored !== null && isBelow(fresh.vector, stored.vector)) {
      const renewal = { lane, next: stored, values: new Map(), complete: false };
      await hotKeys.write(generation, state, renewal);
      return { result: 'behind', version, storedVersion: stored.version };
    }
    const next = { version, vector: fresh.vector, writtenAtMs: refresh.clock.nowMs() };
    const write = { lane, next, values: fresh.values, complete };
    if (await hotKeys.write(generation, state, write)) return { result: 'written' };
    lost ??= { vector: fresh.vector, epoch: stored === null ? null : state!.epoch };
  }
  return { result: 'contended' };
}

/** The first attempt that another writer was before. */
interface LostAttempt {
  /** What was committed when it was computed: all that the call is about. */
  vector: Vector;
  /** Of the state that it found; null = the lane was missing. */
  epoch: string | null;
}

/**
 * Who lost to another writer need not win: with writers that are never idle it might lose for ever,
 * a whole lane that takes seconds to compute against changes that take milliseconds. What the call
 * is about is written once the stored lane reaches it; where everything was to be written, once
 * the lane was made anew since, which every writer does as a whole.
 */
function isDoneByAnother(
  lost: LostAttempt,
  state: HotState | null,
  stored: StoredLane | null,
  remake: boolean,
): boolean {
  if (state === null || stored === null || isBelow(stored.vector, lost.vector)) return false;
  return !remake || state.epoch !== lost.epoch;
}

async function readSource(
  source: HotSource,
  lane: Lane,
  since: Vector | null,
): Promise<{ vector: Vector; values: ReadonlyMap<string, string | null> }> {
  if (lane === 'metrics') return source.metrics(since);
  const { vector, value } = await source.health();
  return { vector, values: new Map([['health', value]]) };
}

/** Compared by partition: a database that was put back may have gained elsewhere what it lacks. */
function isBelow(vector: Vector, stored: Vector): boolean {
  return Object.entries(stored).some(([topic, offsets]) =>
    offsets.some((offset, partition) => (vector[topic]?.[partition] ?? 0) < offset),
  );
}
