import { STATUSES } from '../event/outcome.js';
import type { ModelsValueOffering, TickRow } from '../hotkeys/values.js';
import type { Health } from './health.js';
import { overdueOf } from './in-flight.js';
import { kept } from './kept.js';
import type { Snapshot } from './snapshot.js';
import {
  ageOfTick,
  FIRST_ATTEMPTS_MIN,
  failuresOf,
  successesOf,
  tickOf,
  WINDOW_TICKS,
} from './window.js';

/**
 * Whether an offering may be tried. A pure function of the last 24 ticks of 5 s and as-of, so all
 * replicas and every replay agree, and nothing is disabled for good.
 *
 * The ticks are walked from the oldest on:
 * - `closed` → `open`: among the newest ticks that hold at least 8 outcomes, fewer than half
 *   succeeded; or a tick has `unauthorized` and no success.
 * - `open` → `half_open`: after two more ticks, with a share of 4 %.
 * - `half_open` → its share doubles with every 2 successes, → `closed` at 100 %; → `open` in a tick
 *   with more failures than successes.
 * Refusals that name a time to stay away (`rate_limited` with Retry-After) are no failures here:
 * the time is kept, and after it there is no more reason for doubt.
 * Beside the walk it is open until the latest moment that the provider named by Retry-After, also
 * one that outlasts the ticks, and while more than half of the calls in flight, and at least 3, are
 * overdue: a hang shows nowhere else until it ends.
 */
export interface Breaker {
  state: 'closed' | 'half_open' | 'open';
  /** Greatest share of the decisions: 1 closed, 0 open. */
  share: number;
  reason: BreakerReason | null;
}

export type BreakerReason = 'failures' | 'unauthorized' | 'retry_after' | 'overdue';

const OUTCOMES_MIN = 8;
const SUCCESS_MIN = 0.5;
const OPEN_TICKS = 2;
const HALF_OPEN_SHARE = 0.04;
const SUCCESSES_PER_DOUBLING = 2;
const OVERDUE_MIN = 3;

const CLOSED: Breaker = { state: 'closed', share: 1, reason: null };
const RATE_LIMITED_INDEX = STATUSES.indexOf('rate_limited');
const UNAUTHORIZED_INDEX = STATUSES.indexOf('unauthorized');

interface BreakerTick {
  success: number;
  failure: number;
  unauthorized: number;
}

/**
 * The breakers of a state as of a second. Refused credentials are those of a deployment: where it has
 * a name, they open all of its offerings, unless one of them succeeded in the same tick, as then it
 * is not the credentials that are refused. Deployments without a name may be anybody's.
 */
export function breakersOf(
  { health, catalogue }: Pick<Snapshot, 'health' | 'catalogue'>,
  asOf: number,
): (offering: ModelsValueOffering) => Breaker {
  const byDeployment = new Map<string, Breaker>();
  return ({ offering, provider, deployment }) => {
    const own = breakerOf(health, offering, asOf);
    if (health === null || deployment === '') return own;
    const shared = kept(byDeployment, JSON.stringify([provider, deployment]), () => {
      const ofProvider = catalogue.offeringsByProvider.get(provider) ?? [];
      const mates = ofProvider.filter((it) => it.deployment === deployment);
      return deploymentBreaker(health, mates, asOf);
    });
    return shared.share < own.share ? shared : own;
  };
}

export function breakerOf(health: Health | null, offering: string, asOf: number): Breaker {
  if (health === null) return CLOSED;
  const rows = rowsOf(health, offering, asOf);
  const isLeftAlone =
    rows.some((row) => row.retry_until_ms > asOf * 1000) ||
    (health.retryUntil.get(offering) ?? 0) > asOf * 1000;
  if (isLeftAlone) return { state: 'open', share: 0, reason: 'retry_after' };
  const inFlight = health.inflight.get(offering)?.in_flight ?? 0;
  const overdue = overdueOf(health, offering, asOf);
  if (overdue >= OVERDUE_MIN && overdue * 2 > inFlight) {
    return { state: 'open', share: 0, reason: 'overdue' };
  }
  return walk(ticksOf(rows, asOf));
}

/** What the offerings of one deployment say of its credentials, and of nothing else. */
function deploymentBreaker(
  health: Health,
  offerings: readonly ModelsValueOffering[],
  asOf: number,
): Breaker {
  const rows = offerings.flatMap(({ offering }) => rowsOf(health, offering, asOf));
  const ticks = sumByTick(rows, asOf);
  return walk(
    ticks.map(({ success, unauthorized }) => {
      const refused = success === 0 ? unauthorized : 0;
      return { success, failure: refused, unauthorized: refused };
    }),
  );
}

/** Rows of the window. */
function rowsOf({ ticks }: Health, offering: string, asOf: number): TickRow[] {
  return (ticks.get(offering) ?? []).filter((row) => ageOfTick(row.tick, tickOf(asOf)) !== -1);
}

/** First attempts, or all where those are too few to judge by; both streamed and whole answers. */
function ticksOf(rows: readonly TickRow[], asOf: number): BreakerTick[] {
  const first = sumByTick(
    rows.filter((row) => !row.fallback),
    asOf,
  );
  const outcomes = first.reduce((sum, tick) => sum + tick.success + tick.failure, 0);
  return outcomes >= FIRST_ATTEMPTS_MIN ? first : sumByTick(rows, asOf);
}

/** Oldest first. */
function sumByTick(rows: readonly TickRow[], asOf: number): BreakerTick[] {
  const ticks = Array.from({ length: WINDOW_TICKS }, () => ({
    success: 0,
    failure: 0,
    unauthorized: 0,
  }));
  for (const row of rows) {
    const tick = ticks[WINDOW_TICKS - 1 - ageOfTick(row.tick, tickOf(asOf))]!;
    tick.success += successesOf(row.counts);
    tick.failure += failuresOf(row.counts) - refusalsOf(row);
    tick.unauthorized += row.counts[UNAUTHORIZED_INDEX] ?? 0;
  }
  return ticks;
}

/** Where a time to stay away was named: the tick does not tell by how many of its refusals. */
function refusalsOf({ counts, retry_until_ms: untilMs }: TickRow): number {
  return untilMs > 0 ? (counts[RATE_LIMITED_INDEX] ?? 0) : 0;
}

interface Phase {
  breaker: Breaker;
  openedAt: number;
  /** Successes on probation since its share last changed. */
  successes: number;
}

function walk(ticks: readonly BreakerTick[]): Breaker {
  let phase: Phase = { breaker: CLOSED, openedAt: 0, successes: 0 };
  for (let at = 0; at < ticks.length; at++) phase = nextPhase(phase, ticks, at);
  return phase.breaker;
}

function nextPhase(phase: Phase, ticks: readonly BreakerTick[], at: number): Phase {
  const { breaker } = phase;
  if (breaker.state === 'closed') {
    const reason = tripReason(ticks, at);
    return reason === null ? phase : opened(reason, at);
  }
  if (breaker.state === 'half_open') return probed(phase, ticks[at]!, at);
  if (at - phase.openedAt <= OPEN_TICKS) return phase;
  const probation: Breaker = { ...breaker, state: 'half_open', share: HALF_OPEN_SHARE };
  return probed({ ...phase, breaker: probation, successes: 0 }, ticks[at]!, at);
}

function opened(reason: BreakerReason | null, at: number): Phase {
  return { breaker: { state: 'open', share: 0, reason }, openedAt: at, successes: 0 };
}

function probed(phase: Phase, tick: BreakerTick, at: number): Phase {
  if (tick.failure > tick.success) return opened(phase.breaker.reason, at);
  let successes = phase.successes + tick.success;
  let { share } = phase.breaker;
  for (; successes >= SUCCESSES_PER_DOUBLING && share < 1; share *= 2) {
    successes -= SUCCESSES_PER_DOUBLING;
  }
  const breaker = share < 1 ? { ...phase.breaker, share } : CLOSED;
  return { ...phase, breaker, successes };
}

function tripReason(ticks: readonly BreakerTick[], at: number): BreakerReason | null {
  if (ticks[at]!.unauthorized > 0 && ticks[at]!.success === 0) return 'unauthorized';
  let success = 0;
  let outcomes = 0;
  for (let i = at; i >= 0 && outcomes < OUTCOMES_MIN; i--) {
    success += ticks[i]!.success;
    outcomes += ticks[i]!.success + ticks[i]!.failure;
  }
  const isFailing = outcomes >= OUTCOMES_MIN && success < SUCCESS_MIN * outcomes;
  return isFailing ? 'failures' : null;
}
