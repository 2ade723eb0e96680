/** Pauses between tries of the same thing, which double from the first to the longest. */
export interface Backoff {
  initialMs: number;
  maxMs: number;
}

/** Of readers of the log: what they miss is still there when it is back. */
export const READ_RETRY: Backoff = { initialMs: 50, maxMs: 5_000 };
/** Of writers to the log: callers wait behind them, and memory fills. */
export const WRITE_RETRY: Backoff = { initialMs: 50, maxMs: 2_000 };

/**
 * How long to wait behind so many failures in a row, from 1. Half of it is fixed and half is
 * drawn, so that those that failed together do not come back together.
 */
export function backoffMs(
  failures: number,
  { initialMs, maxMs }: Backoff,
  random: () => number = Math.random,
): number {
  const doublings = Math.min(Math.max(0, failures - 1), 30);
  const fullMs = Math.min(maxMs, initialMs * 2 ** doublings);
  return Math.round((fullMs * (1 + random())) / 2);
}

/** Waits behind so many failures in a row; ends early, and without an error, when the signal is given. */
export function backOff(
  failures: number,
  backoff: Backoff,
  signal: AbortSignal,
  random?: () => number,
): Promise<void> {
  return pause(backoffMs(failures, backoff, random), signal);
}

/** Ends early, and without an error, when the signal is given. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal.addEventListener('abort', end);
  });
}
