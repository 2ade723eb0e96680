import type { PriceTier } from '../event/outcome.js';
import { quantileOf } from '../fold/histogram.js';
import { UNKNOWN_INPUT_TOKENS, UNKNOWN_OUTPUT_TOKENS } from '../fold/reference.js';
import type { LatencyMetric, ModelsValueOffering } from '../hotkeys/values.js';
import { type Breaker, breakerOf } from './breaker.js';
import {
  DEFAULT_PRIOR,
  type Estimate,
  estimateBefore,
  estimateOf,
  narrowedPace,
  narrowedSuccess,
  type Prior,
} from './estimate.js';
import { mergeHistograms } from './histograms.js';
import type { Plan } from './plan.js';
import { tiersAt } from './price.js';
import type { Snapshot } from './snapshot.js';
import { addTally, emptyTally, type Tally, type Window, windowOf } from './window.js';

/** All that a decision reads of one offering. */
export interface OfferingView {
  offering: ModelsValueOffering;
  breaker: Breaker;
  estimate: Estimate;
  /** As before the change that was seen; null where none was. */
  estimateBefore: Estimate | null;
  /** Price in force; null = unknown. */
  tiers: readonly PriceTier[] | null;
}

/** What a decision computed of a board, kept for those that ask the same of it. */
const PLANS_MAX = 1024;

/** Fewer outcomes with a known size say little of a model's requests. */
const SIZES_MIN = 8;

/**
 * The state as of one second, for streamed or for whole answers, as decisions read it. Everything
 * is a pure function of (snapshot, as-of second, stream), computed when first asked for and kept,
 * so a model that nobody asks for costs nothing and a decision is a table look-up.
 */
export class Board {
  readonly snapshot: Snapshot;
  /** Seconds since the epoch. */
  readonly asOf: number;
  readonly stream: boolean;
  readonly #windows = new Map<string, Window>();
  readonly #views = new Map<string, OfferingView>();
  readonly #wholes = new Map<string, Tally>();
  readonly #priors = new Map<string, Prior>();
  readonly #sizes = new Map<string, { inputTokens: number; outputTokens: number }>();
  readonly #ttft = new Map<string, number | null>();
  readonly #plans = new Map<string, Plan>();

  constructor(snapshot: Snapshot, asOf: number, stream: boolean) {
    this.snapshot = snapshot;
    this.asOf = asOf;
    this.stream = stream;
  }

  view(offering: ModelsValueOffering): OfferingView {
    return kept(this.#views, offering.offering, () => this.#makeView(offering));
  }

  /** Mean tokens of the model's requests; of unknown ones, those of a plain conversation. */
  usualSize(model: string): { inputTokens: number; outputTokens: number } {
    return kept(this.#sizes, model, () => this.#meanSize(model));
  }

  /** Median time to the first token over 30 minutes, ms; null = not measured. */
  ttftMsP50(offering: string): number | null {
    return kept(this.#ttft, offering, () => this.#quantile(offering, 'ttft_ms', 500));
  }

  /** The plan of a key, made at most once while it is kept; the oldest gives way. */
  plan(key: string, make: () => Plan): Plan {
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const plan = make();
    if (this.#plans.size >= PLANS_MAX) this.#plans.delete(this.#plans.keys().next().value!);
    this.#plans.set(key, plan);
    return plan;
  }

  #makeView(offering: ModelsValueOffering): OfferingView {
    const key = offering.offering;
    const prior = this.#prior(offering);
    const window = this.#window(key);
    const estimate = estimateOf(prior, window);
    return {
      offering,
      breaker: breakerOf(this.snapshot.health, key, this.asOf),
      estimate,
      estimateBefore:
        estimate.changedBins === null ? null : estimateBefore(prior, window, estimate.changedBins),
      tiers: tiersAt(offering, this.asOf),
    };
  }

  #window(offering: string): Window {
    return kept(this.#windows, offering, () => {
      const { metrics, health } = this.snapshot;
      const rows = { offering, metrics: metrics.get(offering), health };
      return windowOf(rows, this.asOf, this.stream);
    });
  }

  /**
   * Success: default, model, provider, then the offering's own 30 minutes. Pace: default, provider,
   * model, then the offering's own: how long an answer takes is first of all a matter of the model,
   * whether there is one, of the provider. Hourly rows are not read: they are computed at a pace of
   * their own, and equal logs must give equal decisions.
   */
  #prior({ offering, model, provider }: ModelsValueOffering): Prior {
    const ofPair = kept(this.#priors, JSON.stringify([model, provider]), () => {
      const { offeringsByModel, offeringsByProvider } = this.snapshot.catalogue;
      const modelTally = this.#wholeOf('model', model, offeringsByModel.get(model));
      const providerTally = this.#wholeOf('provider', provider, offeringsByProvider.get(provider));
      const success = narrowedSuccess(narrowedSuccess(DEFAULT_PRIOR, modelTally), providerTally);
      return narrowedPace(narrowedPace(success, providerTally), modelTally);
    });
    const { whole } = this.#window(offering);
    return narrowedSuccess(narrowedPace(ofPair, whole), whole);
  }

  #wholeOf(
    kind: 'model' | 'provider',
    name: string,
    offerings: readonly ModelsValueOffering[] = [],
  ): Tally {
    return kept(this.#wholes, `${kind}:${name}`, () => {
      const sum = emptyTally();
      for (const { offering } of offerings) addTally(sum, this.#window(offering).whole);
      return sum;
    });
  }

  #meanSize(model: string): { inputTokens: number; outputTokens: number } {
    const input = { count: 0, sum: 0 };
    const output = { count: 0, sum: 0 };
    for (const { offering } of this.snapshot.catalogue.offeringsByModel.get(model) ?? []) {
      for (const row of this.snapshot.metrics.get(offering)?.minutes ?? []) {
        input.count += row.input_tokens[0];
        input.sum += row.input_tokens[1];
        output.count += row.output_tokens[0];
        output.sum += row.output_tokens[1];
      }
    }
    const mean = ({ count, sum }: { count: number; sum: number }, unknown: number): number =>
      count < SIZES_MIN ? unknown : Math.round(sum / count);
    return {
      inputTokens: mean(input, UNKNOWN_INPUT_TOKENS),
      outputTokens: mean(output, UNKNOWN_OUTPUT_TOKENS),
    };
  }

  #quantile(offering: string, metric: LatencyMetric, perMille: number): number | null {
    const rows = this.snapshot.metrics.get(offering)?.latency ?? [];
    const counts = mergeHistograms(rows, metric, this.stream, this.asOf);
    return quantileOf(counts, 0, perMille);
  }
}

/** Boards of the newest seconds: enough for both kinds of answer while a second turns. */
const BOARDS_MAX = 8;

export class BoardCache {
  /** Oldest first. */
  #boards: Board[] = [];

  boardOf(snapshot: Snapshot, asOf: number, stream: boolean): Board {
    const known = this.#boards.findLast(
      (board) => board.asOf === asOf && board.stream === stream && board.snapshot === snapshot,
    );
    if (known !== undefined) return known;
    const board = new Board(snapshot, asOf, stream);
    this.#boards = [...this.#boards.slice(1 - BOARDS_MAX), board];
    return board;
  }
}

function kept<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
