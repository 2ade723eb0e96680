import type { Candidate } from './candidate.js';
import { type Group, keptByGroup } from './strategies/strategy.js';
import { GAUGE_TICKS, tickOf } from './ticks.js';

/**
 * Attempts in flight at each candidate, by the newest gauges. Where any of the group has a gauge,
 * one without has none in flight: those who tell do so of every offering that they use. Null where
 * nobody tells, or the newest gauges are older than 15 s.
 */
export const loadsOf = keptByGroup(
  ({ board, candidates }: Group): ReadonlyMap<Candidate, number> | null => {
    const { health } = board.snapshot;
    if (health?.newestTick == null) return null;
    if (tickOf(board.asOf) - health.newestTick >= GAUGE_TICKS) return null;
    const { inflight } = health;
    if (candidates.every(({ key }) => !inflight.has(key))) return null;
    return new Map(candidates.map((it) => [it, inflight.get(it.key)?.in_flight ?? 0]));
  },
);
