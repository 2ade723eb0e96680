import type { OfferingView } from './board.js';
import type { Estimates } from './estimate.js';
import type { Evidence } from './evidence.js';
import { Memo } from './kept.js';
import type { LoadSlope } from './load-slope.js';
import { Measurements } from './measurements.js';
import type { Plan } from './plan.js';
import type { Snapshot } from './snapshot.js';
import { tickOf } from './ticks.js';
import type { Window } from './window.js';

/** Plans that are kept from state to state. */
const PLANS_MAX = 1024;

/**
 * What was computed for one tick of 5 s, one kind of answer and one catalogue, kept with what it was
 * computed from: of a new state, and of the tick's next second, only what has other inputs is
 * computed again. It changes no answer: everything here is a pure function of the inputs beside it.
 */
export class TickMemory {
  readonly windows = new Memo<Window>();
  readonly estimates = new Memo<Estimates>();
  readonly slopes = new Memo<LoadSlope>();
  readonly views = new Memo<OfferingView>();
  readonly plans = new Memo<Plan>(PLANS_MAX);
  readonly #catalogue: Snapshot['catalogue'];
  readonly #asOf: number;
  readonly #stream: boolean;
  #evidence: Evidence | null = null;
  #measured: { metrics: Snapshot['metrics']; measurements: Measurements } | null = null;

  constructor({ catalogue }: Snapshot, asOf: number, stream: boolean) {
    this.#catalogue = catalogue;
    this.#asOf = asOf;
    this.#stream = stream;
  }

  isFor({ catalogue }: Snapshot, asOf: number, stream: boolean): boolean {
    return (
      this.#stream === stream &&
      this.#catalogue === catalogue &&
      tickOf(this.#asOf) === tickOf(asOf)
    );
  }

  /** That of the newest state, which the seconds of its tick share. */
  evidenceOf(snapshot: Snapshot, make: () => Evidence): Evidence {
    if (this.#evidence?.snapshot !== snapshot) this.#evidence = make();
    return this.#evidence;
  }

  measurementsOf(snapshot: Snapshot): Measurements {
    if (this.#measured?.metrics !== snapshot.metrics) {
      const measurements = new Measurements(snapshot, this.#asOf, this.#stream);
      this.#measured = { metrics: snapshot.metrics, measurements };
    }
    return this.#measured.measurements;
  }
}
