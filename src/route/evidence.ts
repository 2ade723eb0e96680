import { HISTOGRAM_BUCKETS, quantileOf } from '../fold/histogram.js';
import { referenceMs, UNKNOWN_INPUT_TOKENS, UNKNOWN_OUTPUT_TOKENS } from '../fold/reference.js';
import type { LatencyMetric, ModelsValueOffering } from '../hotkeys/values.js';
import {
  DEFAULT_PRIOR,
  type Estimate,
  estimateBefore,
  estimateOf,
  narrowedPace,
  narrowedSuccess,
  type PaceEstimate,
  type Prior,
  paceOf,
} from './estimate.js';
import { countOf, mergeHistograms } from './histograms.js';
import { kept } from './kept.js';
import { LATENCY_WINDOW_MINUTES, narrowed, quantileOfWeights } from './latency.js';
import { type LoadSlope, loadSlopeOf, rateOf } from './load-slope.js';
import type { Snapshot } from './snapshot.js';
import { addTally, emptyTally, sumNewest, type Tally, type Window, windowOf } from './window.js';

export interface Estimates {
  estimate: Estimate;
  /** As before the change that was seen; null where none was. */
  estimateBefore: Estimate | null;
}

export interface QuantileAsked {
  metric: LatencyMetric;
  windowMinutes: number;
  perMille: number;
}

/** Fewer outcomes with a known size say little of a model's requests. */
const SIZES_MIN = 8;

/**
 * What the rows of a snapshot say as of one tick of 5 s, for streamed or for whole answers:
 * windows, priors, estimates. Nothing of it changes within a tick, so the boards of its seconds
 * share it. Computed when first asked for.
 */
export class Evidence {
  readonly snapshot: Snapshot;
  /** Seconds since the epoch, any of the tick. */
  readonly asOf: number;
  readonly stream: boolean;
  readonly #estimates = new Map<string, Estimates>();
  readonly #windows = new Map<string, Window>();
  readonly #wholes = new Map<string, Tally>();
  readonly #priors = new Map<string, Prior>();
  readonly #sizes = new Map<string, { inputTokens: number; outputTokens: number }>();
  readonly #ttft = new Map<string, number | null>();
  readonly #counts = new Map<string, Float64Array>();
  readonly #quantiles = new Map<string, number | null>();
  readonly #rates = new Map<string, number>();
  readonly #slopes = new Map<string, LoadSlope>();
  readonly #paces = new Map<string, PaceEstimate>();

  constructor(snapshot: Snapshot, asOf: number, stream: boolean) {
    this.snapshot = snapshot;
    this.asOf = asOf;
    this.stream = stream;
  }

  estimates(offering: ModelsValueOffering): Estimates {
    return kept(this.#estimates, offering.offering, () => {
      const prior = this.#priorOfPair(offering);
      const window = this.#window(offering.offering);
      const estimate = estimateOf(prior, window);
      const { changedBins } = estimate;
      return {
        estimate,
        estimateBefore: changedBins === null ? null : estimateBefore(prior, window, changedBins),
      };
    });
  }

  /** Mean tokens of the model's requests; of unknown ones, those of a plain conversation. */
  usualSize(model: string): { inputTokens: number; outputTokens: number } {
    return kept(this.#sizes, model, () => this.#meanSize(model));
  }

  /** Median time to the first token over 30 minutes, ms; null = not measured. */
  ttftMsP50(offering: string): number | null {
    const asked = {
      metric: 'ttft_ms',
      windowMinutes: LATENCY_WINDOW_MINUTES,
      perMille: 500,
    } as const;
    return kept(this.#ttft, offering, () => this.ownQuantile(offering, asked));
  }

  /**
   * A quantile of a latency within a window: where it holds few samples, of the offering's 30
   * minutes beside it, beside those of its provider's offerings, beside those of its model's. Null
   * = none of them was measured.
   */
  quantile(
    offering: ModelsValueOffering,
    { metric, windowMinutes, perMille }: QuantileAsked,
  ): number | null {
    const { offering: key, model, provider } = offering;
    return kept(this.#quantiles, JSON.stringify([key, metric, windowMinutes, perMille]), () => {
      const { offeringsByModel, offeringsByProvider } = this.snapshot.catalogue;
      const levels = [
        this.#countsOfAll(metric, 'model', model, offeringsByModel.get(model)),
        this.#countsOfAll(metric, 'provider', provider, offeringsByProvider.get(provider)),
        this.#countsOf(key, metric, LATENCY_WINDOW_MINUTES),
      ];
      if (windowMinutes < LATENCY_WINDOW_MINUTES) {
        levels.push(this.#countsOf(key, metric, windowMinutes));
      }
      const counts = narrowed(levels);
      return counts === null ? null : quantileOfWeights(counts, perMille);
    });
  }

  /** Measured values of a latency within a window; 0 = none. */
  samplesOf(offering: string, metric: LatencyMetric, windowMinutes: number): number {
    return countOf(this.#countsOf(offering, metric, windowMinutes));
  }

  /** A quantile of what was measured at the offering itself, null where nothing was. */
  ownQuantile(offering: string, { metric, windowMinutes, perMille }: QuantileAsked): number | null {
    return quantileOf(this.#countsOf(offering, metric, windowMinutes), 0, perMille);
  }

  /** The pace of the newest minutes. */
  paceWithin(offering: ModelsValueOffering, minutes: number): PaceEstimate {
    return kept(this.#paces, `${minutes}:${offering.offering}`, () =>
      paceOf(this.#prior(offering), sumNewest(this.#window(offering.offering), minutes)),
    );
  }

  #countsOf(offering: string, metric: LatencyMetric, windowMinutes: number): Float64Array {
    return kept(this.#counts, `${metric}:${windowMinutes}:${offering}`, () => {
      const rows = this.snapshot.metrics.get(offering)?.latency ?? [];
      return mergeHistograms(rows, metric, this.stream, this.asOf, windowMinutes);
    });
  }

  #countsOfAll(
    metric: LatencyMetric,
    kind: 'model' | 'provider',
    name: string,
    offerings: readonly ModelsValueOffering[] = [],
  ): Float64Array {
    return kept(this.#counts, `${metric}:${kind}:${name}`, () => {
      const sum = new Float64Array(HISTOGRAM_BUCKETS);
      for (const { offering } of offerings) {
        const counts = this.#countsOf(offering, metric, LATENCY_WINDOW_MINUTES);
        for (let i = 0; i < sum.length; i++) sum[i]! += counts[i]!;
      }
      return sum;
    });
  }

  /** First attempts a second at the model's offerings, over the last two minutes. */
  rateOf(model: string): number {
    return kept(this.#rates, model, () => {
      const offerings = this.snapshot.catalogue.offeringsByModel.get(model) ?? [];
      return rateOf(offerings.map(({ offering }) => this.#window(offering)));
    });
  }

  /** How an offering's times rise with what it is sent. */
  loadSlope(offering: ModelsValueOffering): LoadSlope {
    return kept(this.#slopes, offering.offering, () => {
      const { changedBins, pace } = this.estimates(offering).estimate;
      const window = this.#window(offering.offering);
      return loadSlopeOf(window, changedBins ?? window.bins.length, pace.variance);
    });
  }

  #plainMs(offering: string): number {
    const model = this.snapshot.catalogue.offerings.get(offering)?.model ?? '';
    const { inputTokens, outputTokens } = this.usualSize(model);
    return referenceMs(inputTokens, outputTokens);
  }

  #window(offering: string): Window {
    return kept(this.#windows, offering, () => {
      const { metrics, health } = this.snapshot;
      const rows = {
        offering,
        metrics: metrics.get(offering),
        health,
        plainMs: this.#plainMs(offering),
      };
      return windowOf(rows, this.asOf, this.stream);
    });
  }

  /**
   * Success: default, model, provider, then the offering's own 30 minutes. Pace: default, provider,
   * model, then the offering's own: how long an answer takes is first of all a matter of the model,
   * whether there is one, of the provider. Hourly rows are not read: they are computed at a pace of
   * their own, and equal logs must give equal decisions.
   */
  #prior(offering: ModelsValueOffering): Prior {
    const { whole } = this.#window(offering.offering);
    return narrowedSuccess(narrowedPace(this.#priorOfPair(offering), whole), whole);
  }

  #priorOfPair({ model, provider }: ModelsValueOffering): Prior {
    return kept(this.#priors, JSON.stringify([model, provider]), () => {
      const { offeringsByModel, offeringsByProvider } = this.snapshot.catalogue;
      const modelTally = this.#wholeOf('model', model, offeringsByModel.get(model));
      const providerTally = this.#wholeOf('provider', provider, offeringsByProvider.get(provider));
      const success = narrowedSuccess(narrowedSuccess(DEFAULT_PRIOR, modelTally), providerTally);
      return narrowedPace(narrowedPace(success, providerTally), modelTally);
    });
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
}
