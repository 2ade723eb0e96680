import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_DELAY_MS = 50;
const DELAY_MS_MAX = 5_000;

/** Exponential from 50 ms to 5 s, with up to a fifth of jitter so that waiters part company. */
export function backoffMs(failures: number): number {
  const delay = Math.min(DELAY_MS_MAX, FIRST_DELAY_MS * 2 ** Math.max(0, failures - 1));
  return Math.round(delay * (0.8 + 0.2 * Math.random()));
}

/** Ends early, and without an error, when the signal is given. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await sleep(delayMs, undefined, { signal }).catch(() => {});
}
