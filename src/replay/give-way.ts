import { setTimeout as sleep } from 'node:timers/promises';
import { AiRouterError } from '../errors.js';

/**
 * Some half a minute of giving way to who reads and writes; then somebody holds a lock for good.
 */
const ATTEMPTS_MAX = 30;
/** Time for who was waited for to finish. */
const PAUSE_MS = 250;

/**
 * Runs a step that locks what projectors and readers use, again each time that it was ended for
 * want of a lock. Throws that error where it goes on for half a minute.
 */
export async function givingWay(step: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await step();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !isForWantOfLock(error)) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

/** SQLSTATEs lock_not_available and deadlock_detected. */
const NO_LOCK = new Set(['55P03', '40P01']);

function isForWantOfLock(error: unknown): boolean {
  const cause = error instanceof AiRouterError ? (error.cause as { code?: string }) : null;
  return NO_LOCK.has(cause?.code ?? '');
}
