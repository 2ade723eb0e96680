import type { Decision } from '../event/outcome.js';

/**
 * The router's decisions, step by step. They come after the answers and in any order; a step takes
 * its own, in the order of time, so that the same run makes the same log.
 */
export class StepDecisions {
  #made: Decision[] = [];
  #arrived: () => void = () => {};

  readonly record = (decision: Decision): void => {
    this.#made.push(decision);
    this.#arrived();
  };

  /** The decisions of so many answers, once all of them are there. */
  async take(answers: number): Promise<Decision[]> {
    while (this.#made.length < answers) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.#made
      .splice(0)
      .sort((a, b) => a.decided_at - b.decided_at || Buffer.compare(a.decision_id, b.decision_id));
  }
}
