import type { Refresher } from '../hotkeys/refresher.js';
import type { ConsumerHandlers } from '../log/port.js';

/**
 * Tells the refresher once the last of the batches that are under way has ended, rather than after
 * each commit. For closed loops in virtual time: they wait for all commits of a step, so the states
 * between are read by nobody, and cost more than the commits.
 */
export class LastBatch {
  readonly #refresher: Pick<Refresher, 'notify'>;
  #underWay = 0;
  /** What the batches that have ended said; null = nothing was committed. */
  #due: { caughtUp: boolean } | null = null;

  constructor(refresher: Pick<Refresher, 'notify'>) {
    this.#refresher = refresher;
  }

  /** In place of the refresher's. */
  notify({ caughtUp }: { caughtUp: boolean }): void {
    this.#due = { caughtUp: caughtUp || (this.#due?.caughtUp ?? false) };
  }

  watched(handlers: ConsumerHandlers): ConsumerHandlers {
    return {
      ...handlers,
      batch: async (batch) => {
        this.#underWay += 1;
        try {
          return await handlers.batch(batch);
        } finally {
          this.#underWay -= 1;
          this.#tell();
        }
      },
    };
  }

  #tell(): void {
    if (this.#underWay > 0 || this.#due === null) return;
    this.#refresher.notify(this.#due);
    this.#due = null;
  }
}
