import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

export interface Schedule {
  /** A second. */
  rate: number;
  seconds: number;
  stop: AbortSignal;
  /** Called in order, as soon after `dueMs` as the process comes to it. */
  onDue(index: number, dueMs: number): void;
}

/** What is overdue is made up for in pieces, so that answers are still read in between. */
const PIECE = 100;

/**
 * An open loop: each call has its moment, fixed before the first one is made. A process that falls
 * behind makes up for it, and what it measures from `dueMs` includes the delay: slow answers do
 * not thin out the load that shows them (coordinated omission).
 */
export async function atConstantRate({ rate, seconds, stop, onDue }: Schedule): Promise<void> {
  const startMs = preciseNowMs();
  const total = rate * seconds;
  const dueMsOf = (index: number): number => startMs + (index * 1000) / rate;
  let next = 0;
  while (next < total && !stop.aborted) {
    const nowMs = preciseNowMs();
    for (let made = 0; made < PIECE && next < total && dueMsOf(next) <= nowMs; made++) {
      onDue(next, dueMsOf(next));
      next += 1;
    }
    const waitMs = dueMsOf(next) - preciseNowMs();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: stop }).catch(() => {});
    else await nextTurn();
  }
}

/** ms since the epoch with fractions, which never goes back. */
export function preciseNowMs(): number {
  return performance.timeOrigin + performance.now();
}
