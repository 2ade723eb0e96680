import type { LatencyMetric } from '../hotkeys/values.js';
import type { Candidate } from './candidate.js';
import type { Evidence } from './evidence.js';
import { LATENCY_WINDOW_MINUTES, PER_MILLE, PERCENTILES } from './latency.js';
import type { Cutoffs, ProviderPreferences } from './request.js';
import { FIRST_ATTEMPTS_MIN } from './window.js';

/** As OpenRouter's are: of the last five minutes. */
const PREFERENCE_WINDOW_MINUTES = 5;

/**
 * Whether an offering meets `preferred_max_latency` and `preferred_min_throughput`, both where both
 * are given, each at every percentile that is given. Measured over 5 minutes, over 30 where these
 * hold fewer than 8 answers; one with fewer than 8 in 30 is not known to miss them, so it meets
 * them: it could not be known otherwise.
 */
export function meetsPreferences(
  evidence: Evidence,
  { key }: Candidate,
  { preferred_max_latency: latency, preferred_min_throughput: throughput }: ProviderPreferences,
): boolean {
  const latencyMetric = evidence.stream ? 'ttft_ms' : 'duration_ms';
  return (
    holds(evidence, key, latencyMetric, latency, (ms, seconds) => ms <= seconds * 1000) &&
    holds(
      evidence,
      key,
      'time_per_output_token_us',
      throughput,
      (us, tokensPerSecond) => us * tokensPerSecond <= 1_000_000,
    )
  );
}

export function hasPreferences(preferences: ProviderPreferences): boolean {
  const { preferred_max_latency: latency, preferred_min_throughput: throughput } = preferences;
  return latency !== undefined || throughput !== undefined;
}

function holds(
  evidence: Evidence,
  offering: string,
  metric: LatencyMetric,
  cutoffs: number | Cutoffs | undefined,
  isWithin: (value: number, cutoff: number) => boolean,
): boolean {
  if (cutoffs === undefined) return true;
  const windowMinutes = [PREFERENCE_WINDOW_MINUTES, LATENCY_WINDOW_MINUTES].find(
    (minutes) => evidence.measured.samplesOf(offering, metric, minutes) >= FIRST_ATTEMPTS_MIN,
  );
  if (windowMinutes === undefined) return true;
  const byPercentile: Cutoffs = typeof cutoffs === 'number' ? { p50: cutoffs } : cutoffs;
  return PERCENTILES.every((percentile) => {
    const cutoff = byPercentile[percentile];
    if (cutoff === undefined) return true;
    const perMille = PER_MILLE[percentile];
    const value = evidence.measured.ownQuantile(offering, { metric, windowMinutes, perMille });
    return value === null || isWithin(value, cutoff);
  });
}
