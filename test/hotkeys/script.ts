import type { Schedule } from '../../src/hotkeys/schedule.js';

/** Timers from here on are limits, not part of the play: they never run out. */
const NEVER_MS = 1e9;

/**
 * A scheduler in the test's hand: whatever waits (a call on its way there or back, a timer) goes
 * on only when the script picks it, in any order.
 */
export class Script {
  readonly #waiting: (() => void)[] = [];

  readonly schedule: Schedule = (delayMs, run) => {
    if (delayMs < NEVER_MS) this.#waiting.push(run);
    return () => {
      const at = this.#waiting.indexOf(run);
      if (at >= 0) this.#waiting.splice(at, 1);
    };
  };

  /** The same methods, each held up before and after it runs. */
  slowed<T extends object>(target: T, beforeCall: () => void = () => {}): T {
    return new Proxy(target, {
      get: (_, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]) => {
          await this.#pause();
          beforeCall();
          const result: unknown = await method.apply(target, args);
          await this.#pause();
          return result;
        };
      },
    });
  }

  /** Lets one of those that wait go on, and all that follows from it without waiting. */
  async step(choice: number): Promise<void> {
    const [run] = this.#waiting.splice(choice % Math.max(this.#waiting.length, 1), 1);
    run?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Steps until the condition holds; each of those that wait gets its turn. */
  async runUntil(isDone: () => Promise<boolean> | boolean, stepsMax = 5_000): Promise<void> {
    for (let step = 0; step < stepsMax; step++) {
      if (await isDone()) return;
      await this.step(0);
    }
    throw new Error(`not done after ${stepsMax} steps`);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
