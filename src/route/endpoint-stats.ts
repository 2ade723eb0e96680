import { quantileOf } from '../fold/histogram.js';
import type { MetricsValue, ModelsValueOffering } from '../hotkeys/values.js';
import { breakersOf } from './breaker.js';
import { countOf, mergeHistograms } from './histograms.js';
import type { HourRow, Snapshot } from './snapshot.js';
import { failuresOf, successesOf } from './tally.js';

export interface Percentiles {
  p50: number;
  p75: number;
  p90: number;
  p99: number;
}

interface Measured<T> {
  value: T | null;
  samples: number;
}

const WINDOW_MINUTES = 30;
const DAY_HOURS = 24;

/**
 * What is known of one offering as of a second, under the names of OpenRouter's endpoint page.
 * Null = not measured.
 */
export function endpointStats(
  snapshot: Snapshot,
  offering: ModelsValueOffering,
  asOf: number,
  stream: boolean,
) {
  const key = offering.offering;
  const metrics = snapshot.metrics.get(key);
  const model = snapshot.catalogue.models.get(offering.model);
  const measured = {
    latency_last_30m: latency(metrics, asOf, stream),
    throughput_last_30m: throughput(metrics, asOf, stream),
    uptime_last_5m: uptimeOfMinutes(metrics, asOf, 5),
    uptime_last_30m: uptimeOfMinutes(metrics, asOf, WINDOW_MINUTES),
    uptime_last_1d: uptimeOfHours(snapshot.uptime.get(key) ?? [], asOf),
  };
  const price = offering.prices.findLast(({ valid_from }) => valid_from <= asOf * 1000) ?? null;
  return {
    offering: key,
    model_id: offering.model,
    provider_name: offering.provider,
    deployment: offering.deployment,
    region: offering.region,
    call_as: offering.call_as,
    enabled: offering.enabled,
    breaker: breakersOf(snapshot, asOf)(offering).state,
    context_length: offering.context_tokens ?? model?.context_tokens ?? null,
    max_completion_tokens: offering.output_tokens_max ?? model?.output_tokens_max ?? null,
    price,
    ...mapped(measured, ({ value }) => value),
    samples: mapped(measured, ({ samples }) => samples),
  };
}

/** Whether more streamed than whole answers of a model were measured. */
export function isMostlyStreamed(
  snapshot: Snapshot,
  offerings: readonly ModelsValueOffering[],
): boolean {
  let balance = 0;
  for (const { offering } of offerings) {
    for (const row of snapshot.metrics.get(offering)?.minutes ?? []) {
      balance += row.stream ? successesOf(row.counts) : -successesOf(row.counts);
    }
  }
  return balance > 0;
}

function mapped<T>(
  measured: Record<string, Measured<unknown>>,
  of: (measured: Measured<unknown>) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(measured).map(([name, value]) => [name, of(value)]));
}

/** ms until the first token of a streamed answer, until the whole of another. */
function latency(
  metrics: MetricsValue | undefined,
  asOf: number,
  stream: boolean,
): Measured<Percentiles> {
  const metric = stream ? 'ttft_ms' : 'duration_ms';
  const counts = mergeHistograms(metrics?.latency ?? [], metric, stream, asOf);
  return percentiles(counts, (value) => value);
}

/** Tokens a second; p90 is what 90 % of the answers reach. */
function throughput(
  metrics: MetricsValue | undefined,
  asOf: number,
  stream: boolean,
): Measured<Percentiles> {
  const rows = metrics?.latency ?? [];
  const counts = mergeHistograms(rows, 'time_per_output_token_us', stream, asOf);
  return percentiles(counts, (us) => Math.round(10_000_000 / Math.max(us, 1)) / 10);
}

function percentiles(
  counts: Float64Array,
  shown: (bucketValue: number) => number,
): Measured<Percentiles> {
  const samples = countOf(counts);
  if (samples === 0) return { value: null, samples };
  const at = (perMille: number): number => shown(quantileOf(counts, 0, perMille)!);
  return { value: { p50: at(500), p75: at(750), p90: at(900), p99: at(990) }, samples };
}

function uptimeOfMinutes(
  metrics: MetricsValue | undefined,
  asOf: number,
  minutes: number,
): Measured<number> {
  const from = Math.floor(asOf / 60) - minutes;
  let success = 0;
  let failure = 0;
  for (const row of metrics?.minutes ?? []) {
    if (row.fallback || row.minute <= from) continue;
    success += successesOf(row.counts);
    failure += failuresOf(row.counts);
  }
  return uptime(success, failure);
}

function uptimeOfHours(hours: readonly HourRow[], asOf: number): Measured<number> {
  const from = Math.floor(asOf / 3600) - DAY_HOURS;
  const within = hours.filter(([hour]) => hour > from);
  return uptime(
    within.reduce((sum, [, success]) => sum + success, 0),
    within.reduce((sum, [, , failure]) => sum + failure, 0),
  );
}

/** success / (success + provider failures) of first attempts, 0..1 */
function uptime(success: number, failure: number): Measured<number> {
  const samples = success + failure;
  return { value: samples === 0 ? null : success / samples, samples };
}
