import type {
  CatalogueModel,
  CatalogueOffering,
  CatalogueProvider,
  PriceTier,
} from '../event/outcome.js';

/**
 * The values of the hot keys: JSON, written by the projector from rows alone (no clock), read by
 * the router. Everything that depends on the moment is computed by the reader from an explicit
 * as-of second.
 */

/** Counts in the order of STATUSES. */
export type StatusCounts = readonly number[];

/** Count, sum and sum of squares of an integer quantity. */
export type Moments = readonly [count: number, sum: number, sumOfSquares: number];

/**
 * Sum, sum of squares, and sum of products with the pace, of the part of the reference that generating
 * takes (fold/reference.ts), over the same outcomes as the pace. Absent where the writer is older than
 * this field.
 */
export type Generation = readonly [sum: number, sumOfSquares: number, sumOfProducts: number];

export interface TickRow {
  /** floor(record time ms / 5000) */
  tick: number;
  stream: boolean;
  /** attempt > 0 */
  fallback: boolean;
  counts: StatusCounts;
  /** Log-ratio of a success's duration to the reference of its size, eighths of an octave. */
  pace: Moments;
  generation?: Generation;
  /** Latest moment, ms since the epoch, until which the provider asked to be left alone; 0 = none. */
  retry_until_ms: number;
  /** Least remaining requests that the provider reported in the tick; null = not reported. */
  ratelimit_remaining: number | null;
}

/** Sum over emitters of each one's newest gauge of the last 15 s before `newest_tick`. */
export interface InflightSum {
  in_flight: number;
  overdue: number;
  oldest_ms: number;
  /**
   * Attempts begun in the tick of the newest gauge and in each of the two ticks before it; absent
   * where the writer is older than this field.
   */
  started?: readonly number[];
}

/** Key `health`: the last 24 ticks (120 s) of every offering that has any. */
export interface HealthValue {
  /** The newest tick of any row; null = there are none. */
  newest_tick: number | null;
  ticks: Record<string, TickRow[]>;
  inflight: Record<string, InflightSum>;
  /**
   * By offering, ms since the epoch: the latest moment until which a provider asked to be left alone,
   * in these ticks or in older ones that are kept, where it is beyond the start of `newest_tick`;
   * absent where the writer is older than this field.
   */
  retry_until?: Record<string, number>;
}

export interface MinuteRow {
  /** floor(occurred_at ms / 60000) */
  minute: number;
  operation: string;
  stream: boolean;
  fallback: boolean;
  counts: StatusCounts;
  pace: Moments;
  generation?: Generation;
  /** Sums over the outcomes where the count is known: [count, sum]. */
  input_tokens: readonly [number, number];
  output_tokens: readonly [number, number];
}

export type LatencyMetric = 'duration_ms' | 'ttft_ms' | 'time_per_output_token_us';

export interface LatencyRow {
  minute: number;
  operation: string;
  stream: boolean;
  fallback: boolean;
  metric: LatencyMetric;
  /** Timeouts: known only to be longer than what was measured. */
  censored: number;
  /** Bucket index of the first count, then the counts (fold/histogram.ts). */
  histogram: readonly number[];
}

/** Key `metrics:<offering>`: the last 30 minutes of one offering, up to its own newest minute. */
export interface MetricsValue {
  offering: string;
  minutes: MinuteRow[];
  latency: LatencyRow[];
}

/** Key `uptime`: successes and provider failures of attempt 0 by hour, newest 25 hours. */
export type UptimeValue = Record<string, [hour: number, success: number, failure: number][]>;

export interface OfferingPrice {
  /** ms since the epoch */
  valid_from: number;
  tiers: PriceTier[];
}

export interface ModelsValueOffering extends CatalogueOffering {
  /** Key text. */
  offering: string;
  /** Ascending by valid_from; empty = unknown. */
  prices: OfferingPrice[];
}

/** Key `models`: the catalogue with its relations, in name order. */
export interface ModelsValue {
  models: CatalogueModel[];
  /** Alias → model. */
  aliases: Record<string, string>;
  offerings: ModelsValueOffering[];
}

/** Key `providers`. */
export interface ProvidersValue {
  providers: CatalogueProvider[];
}

/** Key `policies`: policy document (canonical JSON text) and hash by name. */
export type PoliciesValue = Record<string, { document: string; hash: string }>;

/** Lifetimes in seconds; all are renewed by the reconciler well before they end. */
export const KEY_TTL_SECONDS = {
  models: 300,
  providers: 600,
  policies: 600,
  metrics: 180,
  health: 60,
  uptime: 600,
} as const;

export const metricsKey = (offering: string): string => `metrics:${offering}`;
