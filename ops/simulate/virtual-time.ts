import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import type { Scheduler, Timer } from './scheduler.js';

/**
 * Puts the scheduler's time and draws in the place of the process's own, for code that runs in a
 * simulated process; everything else keeps the real ones. Answers how to take them out again.
 */
export function installVirtualTime(scheduler: Scheduler): () => void {
  const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    now: Date.now,
    performanceNow: performance.now,
    random: Math.random,
    sleep: timersPromises.setTimeout,
  };
  const isVirtual = (): boolean => scheduler.current !== null;

  globalThis.setTimeout = ((run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    if (!isVirtual()) return real.setTimeout(run, ms, ...args);
    return new VirtualTimeout(scheduler.setTimer(ms, () => run(...args)));
  }) as typeof setTimeout;
  globalThis.clearTimeout = ((timer: unknown) => {
    if (timer instanceof VirtualTimeout) scheduler.clearTimer(timer.timer);
    else real.clearTimeout(timer as NodeJS.Timeout);
  }) as typeof clearTimeout;
  Date.now = () => (isVirtual() ? scheduler.nowMs : real.now());
  performance.now = () => (isVirtual() ? scheduler.nowMs : real.performanceNow.call(performance));
  Math.random = () => (isVirtual() ? scheduler.random.unit() : real.random());
  timersPromises.setTimeout = ((
    ms?: number,
    value?: unknown,
    options?: { signal?: AbortSignal },
  ) =>
    isVirtual()
      ? sleep(scheduler, ms ?? 0, value, options?.signal)
      : real.sleep(ms, value, options)) as typeof timersPromises.setTimeout;
  syncBuiltinESMExports();

  return () => {
    globalThis.setTimeout = real.setTimeout;
    globalThis.clearTimeout = real.clearTimeout;
    Date.now = real.now;
    performance.now = real.performanceNow;
    Math.random = real.random;
    timersPromises.setTimeout = real.sleep;
    syncBuiltinESMExports();
  };
}

class VirtualTimeout {
  readonly timer: Timer;

  constructor(timer: Timer) {
    this.timer = timer;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

function sleep(
  scheduler: Scheduler,
  ms: number,
  value: unknown,
  signal?: AbortSignal,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = (): void => {
      scheduler.clearTimer(timer);
      reject(signal?.reason);
    };
    const timer = scheduler.setTimer(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve(value);
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
