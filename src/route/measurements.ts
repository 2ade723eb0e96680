import { HISTOGRAM_BUCKETS, quantileOf } from '../fold/histogram.js';
import { UNKNOWN_INPUT_TOKENS, UNKNOWN_OUTPUT_TOKENS } from '../fold/reference.js';
import type { LatencyMetric, ModelsValueOffering } from '../hotkeys/values.js';
import { countOf, mergeHistograms } from './histograms.js';
import { kept } from './kept.js';
import { LATENCY_WINDOW_MINUTES, narrowed, quantileOfWeights } from './latency.js';
import type { Snapshot } from './snapshot.js';

export interface QuantileAsked {
  metric: LatencyMetric;
  windowMinutes: number;
  perMille: number;
}

/** Fewer outcomes with a known size say little of a model's requests. */
const SIZES_MIN = 8;

/**
 * What the rows of minutes say of sizes and latencies as of a minute, for streamed or for whole
 * answers. They are written once a second, so it outlives the states between. Computed when first
 * asked for.
 */
export class Measurements {
  readonly #catalogue: Snapshot['catalogue'];
  readonly #metrics: Snapshot['metrics'];
  /** Seconds since the epoch, any of the minute. */
  readonly #asOf: number;
  readonly #stream: boolean;
  readonly #sizes = new Map<string, { inputTokens: number; outputTokens: number }>();
  readonly #ttft = new Map<string, number | null>();
  readonly #counts = new Map<string, Float64Array>();
  readonly #quantiles = new Map<string, number | null>();

  constructor({ catalogue, metrics }: Snapshot, asOf: number, stream: boolean) {
    this.#catalogue = catalogue;
    this.#metrics = metrics;
    this.#asOf = asOf;
    this.#stream = stream;
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
      const { offeringsByModel, offeringsByProvider } = this.#catalogue;
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

  #countsOf(offering: string, metric: LatencyMetric, windowMinutes: number): Float64Array {
    return kept(this.#counts, `${metric}:${windowMinutes}:${offering}`, () => {
      const rows = this.#metrics.get(offering)?.latency ?? [];
      return mergeHistograms(rows, metric, this.#stream, this.#asOf, windowMinutes);
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

  #meanSize(model: string): { inputTokens: number; outputTokens: number } {
    const input = { count: 0, sum: 0 };
    const output = { count: 0, sum: 0 };
    for (const { offering } of this.#catalogue.offeringsByModel.get(model) ?? []) {
      for (const row of this.#metrics.get(offering)?.minutes ?? []) {
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
