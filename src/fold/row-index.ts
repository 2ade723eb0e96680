import { OTHER_OFFERING, offeringKey } from '../event/offering-key.js';
import { type FoldedOutcome, OPERATIONS } from '../event/outcome.js';
import type { Admission } from './admission.js';
import type { Row } from './delta.js';

/** The rows that outcomes of an offering have changed so far in a batch. */
export interface OfferingRows {
  /** The key that its outcomes count under: its own, or that of all which have no place. */
  offering: string;
  /** By tick and series. */
  ticks: Map<number, Row>;
  /** By minute and series. */
  series: Map<number, SeriesRows>;
  /** By tenant, then by minute, operation and input class. */
  usage: Map<string, Map<number, Row>>;
}

export type LatencyMetric = 'duration_ms' | 'ttft_ms' | 'time_per_output_token_us';

export interface SeriesRows {
  /** Cells of the key that these rows have in common. */
  key: readonly (string | number | boolean)[];
  minute: Row;
  /** Null = the metric did not occur. */
  latency: Record<LatencyMetric, Row | null>;
}

const MS_A_DAY = 86_400_000;

/**
 * Finds the rows of a batch by the fields of an outcome. A row has its own key, a text that is joined
 * from all its cells; to join six of them for each outcome took most of the fold's time, so they are
 * joined only when a row is made.
 *
 * What is found is kept for a batch, and for a day of record time at most: who has a place among the
 * keys can only change when a day begins.
 */
export class RowIndex {
  readonly #admission: Admission;
  #day = -1;
  #models: Level<Level<Level<Level<OfferingRows>>>> = new Map();

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  of(outcome: FoldedOutcome, recordMs: number): OfferingRows {
    const day = Math.floor(recordMs / MS_A_DAY);
    if (day > this.#day) {
      this.#day = day;
      this.#models = new Map();
    }
    const { model, provider, deployment, region } = outcome;
    const rows = this.#models.get(model)?.get(provider)?.get(deployment)?.get(region);
    return rows ?? this.#add(outcome, recordMs);
  }

  #add(outcome: FoldedOutcome, recordMs: number): OfferingRows {
    const { model, provider, deployment, region } = outcome;
    const own = offeringKey(outcome);
    const isAdmitted = this.#admission.admits('offering', own, recordMs);
    const rows: OfferingRows = {
      offering: isAdmitted ? own : OTHER_OFFERING,
      ticks: new Map(),
      series: new Map(),
      usage: new Map(),
    };
    below(below(below(this.#models, model), provider), deployment).set(region, rows);
    return rows;
  }
}

type Level<T> = Map<string, T>;

function below<T>(level: Level<Level<T>>, key: string): Level<T> {
  let next = level.get(key);
  if (next === undefined) {
    next = new Map();
    level.set(key, next);
  }
  return next;
}

const OPERATION_NUMBERS = Object.fromEntries(OPERATIONS.map((name, index) => [name, index]));

/** One number for a time and a series: operation, stream, and whether it is a later attempt. */
export function seriesNumber(outcome: FoldedOutcome, time: number): number {
  const operation = time * OPERATIONS.length + OPERATION_NUMBERS[outcome.operation]!;
  return operation * 4 + (outcome.stream ? 2 : 0) + (outcome.attempt > 0 ? 1 : 0);
}

/** One number for a minute, an operation and an input class, of which there are fewer than eight. */
export function usageNumber(outcome: FoldedOutcome, minute: number, inputClass: number): number {
  return (minute * OPERATIONS.length + OPERATION_NUMBERS[outcome.operation]!) * 8 + inputClass;
}
