import type { Clock } from '../clock.js';

/** The clock of a closed loop: it stands still until it is set. */
export class VirtualClock implements Clock {
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  set(ms: number): void {
    this.#nowMs = ms;
  }
}
