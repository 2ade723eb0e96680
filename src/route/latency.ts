import { bucketHigh } from '../fold/histogram.js';
import type { LatencyMetric } from '../hotkeys/values.js';
import { ratioOfPace } from './arithmetic.js';
import type { Candidate } from './candidate.js';
import { type Group, keptByGroup } from './strategies/strategy.js';

export type Percentile = 'p50' | 'p75' | 'p90' | 'p99';
export const PERCENTILES: readonly Percentile[] = ['p50', 'p75', 'p90', 'p99'];
export const LATENCY_METRICS = ['ttft', 'duration', 'time_per_output_token'] as const;

/** By which latency offerings are compared. */
export interface LatencyChoice {
  /** Time to the first token for streamed answers, whole duration for others, where not given. */
  metric?: (typeof LATENCY_METRICS)[number];
  /** p50 where not given. */
  percentile?: Percentile;
  /** 1..30; where not given, all that the estimate rests on: 30 minutes, the newer the more. */
  window_minutes?: number;
  /** Offerings within this part of the fastest one count as equally fast; 0 where not given. */
  buffer?: number;
}

export const PER_MILLE: Readonly<Record<Percentile, number>> = {
  p50: 500,
  p75: 750,
  p90: 900,
  p99: 990,
};

/** Quantiles of the standard normal distribution. */
const NORMAL: Readonly<Record<Percentile, number>> = {
  p50: 0,
  p75: 0.6744897501960817,
  p90: 1.2815515655446004,
  p99: 2.3263478740408408,
};

/** The window of histograms where none is asked for. */
export const LATENCY_WINDOW_MINUTES = 30;

/** What a wider distribution counts for beside a narrower one, in outcomes. */
const PSEUDO_SAMPLES = 8;

/** The latency that a group is compared by; `values` are those of its candidates. */
export interface Compared {
  metric: LatencyMetric;
  values: ReadonlyMap<Candidate, number | null>;
}

/**
 * Latencies of a group by its choice, in ms, or in µs per output token. One metric for all: where
 * none of them was measured by it, all are compared by duration, which is estimated for every one.
 */
export const latenciesOf = keptByGroup(compare);

function compare(group: Group): Compared {
  const { board, candidates, latency } = group;
  const measured = measuredMetric(latency.metric, board.stream);
  if (measured !== null) {
    const values = measuredValues(group, measured);
    if ([...values.values()].some((value) => value !== null)) return { metric: measured, values };
  }
  const values = new Map(candidates.map((it) => [it, durationOf(group, it)]));
  return { metric: 'duration_ms', values };
}

/** Null = the duration, which is estimated for the size of the request. */
function measuredMetric(metric: LatencyChoice['metric'], stream: boolean): LatencyMetric | null {
  if (metric === 'time_per_output_token') return 'time_per_output_token_us';
  // The first token of a whole answer comes with its last.
  return stream && metric !== 'duration' ? 'ttft_ms' : null;
}

export function measuredValues(
  { board, candidates, latency }: Group,
  metric: LatencyMetric,
): Map<Candidate, number | null> {
  const window = latency.window_minutes ?? LATENCY_WINDOW_MINUTES;
  const perMille = PER_MILLE[latency.percentile ?? 'p50'];
  return new Map(
    candidates.map((it) => [
      it,
      board.evidence.measured.quantile(it.view.offering, {
        metric,
        windowMinutes: window,
        perMille,
      }),
    ]),
  );
}

/** Durations are log-normal: the quantile of the pace, times what the size takes. */
function durationOf({ board, latency }: Group, candidate: Candidate): number {
  const { offering, estimate } = candidate.view;
  const { mean, variance } =
    latency.window_minutes === undefined
      ? estimate.pace
      : board.evidence.paceWithin(offering, latency.window_minutes);
  const z = NORMAL[latency.percentile ?? 'p50'];
  return candidate.referenceMs * ratioOfPace(mean + z * Math.sqrt(variance));
}

/**
 * The counts of a narrow window over those of wider ones, each of which weighs as 8 outcomes beside
 * the next: few samples lean on what is known of more. Null where nothing is known at all.
 */
export function narrowed(widestFirst: readonly Float64Array[]): Float64Array | null {
  let mixed: Float64Array | null = null;
  for (const counts of widestFirst) {
    if (sumOf(counts) === 0) continue;
    mixed = mixed === null ? counts : over(counts, mixed);
  }
  return mixed;
}

function over(counts: Float64Array, wider: Float64Array): Float64Array {
  const weight = PSEUDO_SAMPLES / sumOf(wider);
  return counts.map((count, i) => count + weight * wider[i]!);
}

/** The greatest value of the bucket in which the quantile lies. */
export function quantileOfWeights(weights: Float64Array, perMille: number): number {
  let left = (sumOf(weights) * perMille) / 1000;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    last = i;
    left -= weights[i]!;
    if (left <= 0) break;
  }
  return bucketHigh(last);
}

function sumOf(counts: Float64Array): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
