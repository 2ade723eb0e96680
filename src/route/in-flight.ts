import type { InflightSum } from '../hotkeys/values.js';
import type { Health } from './health.js';
import { GAUGE_TICKS, TICK_MS, tickOf } from './ticks.js';

/** Standard deviations above what is expected in flight, before the rest is taken for stuck. */
const DEVIATIONS = 3;
const STUCK_MIN = 2;

/** Ticks since the youngest of the overdue attempts began, at the emitters' 20 s. */
export const OVERDUE_TICKS = 4;

/** Attempts in flight that are as good as failed. */
export interface Stuck {
  /** Those that their callers call so: they began some 20 s ago and more. */
  overdue: number;
  /** Others that cannot still be in flight if answers took as long as they usually do. */
  hung: number;
}

const NONE: Stuck = { overdue: 0, hung: 0 };

/**
 * What hangs, by the newest gauge; most of it before its callers call it overdue. Expected are
 * Σ started · 1 / (1 + (age / mean)²) over the ticks of 5 s in which they began: the tail of a
 * log-logistic time, heavier than answers have, so that a few long answers are no hang. A burst that
 * has just begun may be taken for one, until the next gauge: that costs five seconds at the runner-up,
 * a hang a minute for each request.
 * `meanMs`: how long answers usually take; null = not known.
 */
export function stuckOf(
  health: Health | null,
  offering: string,
  asOf: number,
  meanMs: number | null,
): Stuck {
  const gauge = gaugeOf(health, offering, asOf);
  if (gauge === null) return NONE;
  const { in_flight: inFlight, overdue, started } = gauge;
  if (started === undefined || meanMs === null) return { overdue, hung: 0 };
  const others = inFlight - overdue;
  let expected = 0;
  for (let age = 0; age < started.length; age++) {
    const ratio = ((age + 0.5) * TICK_MS) / meanMs;
    expected += started[age]! / (1 + ratio * ratio);
  }
  const limit = expected + DEVIATIONS * Math.sqrt(expected) + STUCK_MIN;
  return { overdue, hung: others > limit ? others - expected : 0 };
}

/** Attempts in flight for longer than their callers expect. */
export function overdueOf(health: Health | null, offering: string, asOf: number): number {
  return gaugeOf(health, offering, asOf)?.overdue ?? 0;
}

/** The newest gauge, unless it is too old to say anything of now. */
export function gaugeOf(health: Health | null, offering: string, asOf: number): InflightSum | null {
  const gauge = health?.inflight.get(offering);
  if (gauge === undefined || health?.newestTick == null) return null;
  return tickOf(asOf) - health.newestTick < GAUGE_TICKS ? gauge : null;
}
