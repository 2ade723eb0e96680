import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandContext, Interruption } from './context.js';

/**
 * Runs until the first signal, then closes in the order given: that is how a service ends well.
 * What does not end in time is left: nothing that was acknowledged depends on an orderly end.
 * Rejects where a part could not go on.
 */
export async function serveUntilStopped(
  context: CommandContext,
  closers: readonly (() => Promise<void>)[],
): Promise<void> {
  const { stop, logger, config } = context;
  if (!stop.aborted) {
    await new Promise<void>((resolve) => {
      stop.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  logger.info({}, 'Stopping.');
  await closeInTime(closers, config.shutdownTimeoutMs, logger);
  throwIfFailed(stop);
}

/** A service that was asked to stop has done all that it should; one that failed has not. */
export function throwIfFailed(stop: AbortSignal): void {
  if (stop.aborted && !(stop.reason instanceof Interruption)) throw stop.reason;
}

/** Closes one after the other, within a time for all; what is left ends with the process. */
export async function closeInTime(
  closers: readonly (() => Promise<void>)[],
  timeoutMs: number,
  logger: CommandContext['logger'],
): Promise<void> {
  const closing = (async () => {
    for (const close of closers) {
      await close().catch((error: Error) => {
        logger.warn({ reason: error.message }, 'A part did not stop in order.');
      });
    }
    return true;
  })();
  const isInTime = await Promise.race([closing, sleep(timeoutMs, false, { ref: false })]);
  if (!isInTime) {
    logger.warn({ timeoutMs }, 'The stop took too long; the process ends as it is.');
  }
}
