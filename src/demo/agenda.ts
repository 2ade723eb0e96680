import type { RequestOutcome } from '../event/outcome.js';

/**
 * Outcomes that have not ended yet, by the moment at which they will. Taken in the order of
 * (occurred_at, event_id), so that the order of publishing follows from the outcomes alone.
 */
export class Agenda {
  #waiting: RequestOutcome[] = [];
  #isSorted = true;

  get size(): number {
    return this.#waiting.length;
  }

  add(outcome: RequestOutcome): void {
    this.#waiting.push(outcome);
    this.#isSorted = false;
  }

  /** Takes what has ended by `untilMs`. */
  takeEnded(untilMs: number): RequestOutcome[] {
    if (!this.#isSorted) this.#waiting.sort(byEnd);
    this.#isSorted = true;
    const firstLater = this.#waiting.findIndex((outcome) => outcome.occurred_at > untilMs);
    return this.#waiting.splice(0, firstLater === -1 ? this.#waiting.length : firstLater);
  }
}

function byEnd(a: RequestOutcome, b: RequestOutcome): number {
  return a.occurred_at - b.occurred_at || Buffer.compare(a.event_id, b.event_id);
}
