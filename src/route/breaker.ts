import { STATUSES } from '../event/outcome.js';
import type { ModelsValueOffering, TickRow } from '../hotkeys/values.js';
import type { Health } from './health.js';
import { OVERDUE_TICKS, overdueOf } from './in-flight.js';
import { kept } from './kept.js';
import type { Snapshot } from './snapshot.js';
import { failuresOf, successesOf } from './tally.js';
import { ageOfTick, tickOf, WINDOW_TICKS } from './ticks.js';
import { FIRST_ATTEMPTS_MIN } from './window.js';

/**
 * Whether an offering may be tried. A pure function of the last 24 ticks of 5 s and as-of, so all
 * replicas and every replay agree, and nothing is disabled for good.
 *
 * The ticks are walked from the oldest on:
 * - `closed` → `open`: over the newest ticks since it closed failures outnumber successes by 6;
 *   or a tick has `unauthorized` and no success.
 * - `open` → `half_open`: after two more ticks, with a share of 4 %.
 * - `half_open` → its share grows fourfold with every success, → `closed` at 100 %; → `open` in a tick with
 *   more failures than successes, of which timeouts are none: they tell of when they began.
 *
 * The 6 are a sequential test: where 1 of 4 succeeds rather than 3 of 4, each failure makes it three
 * times as likely, each success a third, and 3^6 is 729 to 1. Dead ones are left after 6 outcomes;
 * one that fails at times stays, as strategies that know its cost weigh that against the others'.
 *
 * A refusal (`rate_limited`) is over in no time: it counts as a tenth of a failure. One that names a
 * time to stay away is none: the time is kept, and after it there is no more reason for doubt.
 * Beside the walk it is open until the latest moment that the provider named by Retry-After, also
 * one that outlasts the ticks, and while at least 3 calls are overdue, and more than succeeded since
 * the youngest of them began (20 s): a hang shows nowhere else until it ends.
 */
export interface Breaker {
  state: 'closed' | 'half_open' | 'open';
  /** Greatest share of the decisions: 1 closed, 0 open. */
  share: number;
  reason: BreakerReason | null;
}

export type BreakerReason = 'failures' | 'unauthorized' | 'retry_after' | 'overdue';

/** Failures beyond successes. */
const EXCESS_MAX = 6;
const OPEN_TICKS = 2;
const HALF_OPEN_SHARE = 0.04;
/** What a success on probation multiplies the share by: three in a row, and all is as it was. */
const SHARE_GROWTH = 4;
const OVERDUE_MIN = 3;
/** What a refusal counts for, in failures: by the time that is lost in it. */
const REFUSAL = 0.1;

const CLOSED: Breaker = { state: 'closed', share: 1, reason: null };
const RATE_LIMITED_INDEX = STATUSES.indexOf('rate_limited');
const TIMEOUT_INDEX = STATUSES.indexOf('timeout');
const UNAUTHORIZED_INDEX = STATUSES.indexOf('unauthorized');

interface BreakerTick {
  success: number;
  failure: number;
  /** Of the failures. */
  timeout: number;
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
  const overdue = overdueOf(health, offering, asOf);
  if (overdue >= OVERDUE_MIN && overdue > newestSuccesses(rows, asOf)) {
    return { state: 'open', share: 0, reason: 'overdue' };
  }
  return walk(ticksOf(rows, asOf));
}

/** Successes since the youngest of the overdue calls began. */
function newestSuccesses(rows: readonly TickRow[], asOf: number): number {
  return rows
    .filter((row) => ageOfTick(row.tick, tickOf(asOf)) < OVERDUE_TICKS)
    .reduce((sum, row) => sum + successesOf(row.counts), 0);
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
      return { success, failure: refused, timeout: 0, unauthorized: refused };
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
    timeout: 0,
    unauthorized: 0,
  }));
  for (const row of rows) {
    const tick = ticks[WINDOW_TICKS - 1 - ageOfTick(row.tick, tickOf(asOf))]!;
    tick.success += successesOf(row.counts);
    tick.failure += failuresOf(row.counts) - forgivenOf(row);
    tick.timeout += row.counts[TIMEOUT_INDEX] ?? 0;
    tick.unauthorized += row.counts[UNAUTHORIZED_INDEX] ?? 0;
  }
  return ticks;
}

/**
 * What refusals do not count for: all, where a time to stay away was named; the tick does not tell
 * by how many of them.
 */
function forgivenOf({ counts, retry_until_ms: untilMs }: TickRow): number {
  const refusals = counts[RATE_LIMITED_INDEX] ?? 0;
  return untilMs > 0 ? refusals : (1 - REFUSAL) * refusals;
}

interface Phase {
  breaker: Breaker;
  openedAt: number;
  /** The first tick since it closed. */
  closedAt: number;
}

function walk(ticks: readonly BreakerTick[]): Breaker {
  let phase: Phase = { breaker: CLOSED, openedAt: 0, closedAt: 0 };
  for (let at = 0; at < ticks.length; at++) phase = nextPhase(phase, ticks, at);
  return phase.breaker;
}

function nextPhase(phase: Phase, ticks: readonly BreakerTick[], at: number): Phase {
  const { breaker } = phase;
  if (breaker.state === 'closed') {
    const reason = tripReason(ticks, at, phase.closedAt);
    return reason === null ? phase : opened(reason, at);
  }
  if (breaker.state === 'half_open') return probed(phase, ticks[at]!, at);
  if (at - phase.openedAt <= OPEN_TICKS) return phase;
  const probation: Breaker = { ...breaker, state: 'half_open', share: HALF_OPEN_SHARE };
  return probed({ ...phase, breaker: probation }, ticks[at]!, at);
}

function opened(reason: BreakerReason | null, at: number): Phase {
  return { breaker: { state: 'open', share: 0, reason }, openedAt: at, closedAt: 0 };
}

function probed(phase: Phase, tick: BreakerTick, at: number): Phase {
  if (tick.failure - tick.timeout > tick.success) return opened(phase.breaker.reason, at);
  let { share } = phase.breaker;
  for (let i = 0; i < tick.success && share < 1; i++) share *= SHARE_GROWTH;
  if (share >= 1) return { ...phase, breaker: CLOSED, closedAt: at + 1 };
  return { ...phase, breaker: { ...phase.breaker, share } };
}

function tripReason(
  ticks: readonly BreakerTick[],
  at: number,
  closedAt: number,
): BreakerReason | null {
  if (ticks[at]!.unauthorized > 0 && ticks[at]!.success === 0) return 'unauthorized';
  let excess = 0;
  for (let i = at; i >= closedAt; i--) {
    excess += ticks[i]!.failure - ticks[i]!.success;
    if (excess >= EXCESS_MAX) return 'failures';
  }
  return null;
}
