import type { HotView } from '../../src/hotkeys/poller.js';
import { type HotState, type HotWrite, LANES, type Vector } from '../../src/hotkeys/port.js';
import type { Failures } from './failures.js';
import { type HotValues, isAtOrBelow } from './hot-values.js';

/** What a router sees, and what a projector writes, against what is committed. */
export class HotKeyChecks {
  readonly #values: HotValues;
  readonly #failures: Failures;

  constructor(values: HotValues, failures: Failures) {
    this.#values = values;
    this.#failures = failures;
  }

  onWrite(before: HotState | null, { lane, next }: HotWrite): void {
    if (!isAtOrBelow(next.vector, this.#values.vector)) {
      this.#failures.fail('I7', `${lane} is written ahead of the store`);
    }
    const stored = before?.lanes[lane];
    if (stored && !isAtOrBelow(stored.vector, next.vector)) {
      this.#failures.fail('I7', `${lane} is written back from version ${stored.version}`);
    }
  }

  /** `before`: the view that the same router had; null = its first. */
  onView(router: string, view: HotView, before: HotView | null): void {
    for (const lane of LANES) {
      const { vector } = view.state.lanes[lane]!;
      if (!isAtOrBelow(vector, this.#values.vector)) {
        this.#failures.fail('I7', `${router} reads ${lane} ahead of the store`);
      }
      const earlier = before?.state.lanes[lane]?.vector;
      if (earlier !== undefined && !isAtOrBelow(earlier, vector)) {
        this.#failures.fail('I8', `${router} goes back in ${lane}`);
      }
    }
    const { health, metrics } = view.state.lanes;
    this.#checkValues(router, view, health!.vector, metrics!.vector);
  }

  #checkValues(router: string, { values }: HotView, health: Vector, metrics: Vector): void {
    const expected = this.#values.metricsAt(metrics).set('health', this.#values.healthAt(health));
    const sorted = (map: ReadonlyMap<string, string>): string =>
      JSON.stringify([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#failures.equal('I7', `${router}: values at its vector`, sorted(values), sorted(expected));
  }
}
