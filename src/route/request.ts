import { providerName } from '../event/provider.js';
import type { LatencyChoice, Percentile } from './latency.js';

/** Body of `POST /v1/route`, checked by its schema and with its defaults in place. */
export interface RouteRequest {
  model?: string;
  /** In order of preference. */
  models?: string[];
  /** Unordered. */
  model_set?: string[];
  strategy?: string;
  operation: string;
  stream: boolean;
  request_id: string;
  /** Key texts of offerings that were tried already. */
  tried: string[];
  estimate?: { input_tokens?: number; output_tokens?: number; cached_input_tokens?: number };
  require?: Requirements;
  provider?: ProviderPreferences;
  latency?: LatencyChoice;
  /** Name of a policy; the tenant's default where it is absent. */
  policy?: string;
  /** What a policy with sticky keys goes by, in clear or hashed (sticky-key.ts). */
  sticky_key?: string;
  limit: number;
  /** The answer says which numbers were compared; the decision is the same. */
  explain?: boolean;
  /** A preview that is drawn by this text. */
  seed?: string;
}

export interface Requirements {
  capabilities?: string[];
  context_tokens?: number;
  regions?: string[];
}

/** By percentile; all that are given are to hold. */
export type Cutoffs = Partial<Record<Percentile, number>>;

/** OpenRouter's `provider` object, as far as it is supported. */
export interface ProviderPreferences {
  order?: string[];
  only?: string[];
  ignore?: string[];
  sort?: 'price' | 'throughput' | 'latency';
  /** Seconds to the first token of a streamed answer, to the end of another; a number is of p50. */
  preferred_max_latency?: number | Cutoffs;
  /** Tokens a second; a number is of p50, p90 is what 90 % of the answers reach. */
  preferred_min_throughput?: number | Cutoffs;
  /** USD per million tokens. */
  max_price?: { prompt?: number; completion?: number };
  allow_fallbacks?: boolean;
}

/** The models that a request names, one or several. */
export function namesOf({
  model,
  models,
  model_set,
}: Pick<RouteRequest, 'model' | 'models' | 'model_set'>): readonly string[] {
  return model === undefined ? (models ?? model_set ?? []) : [model];
}

/** Provider names in the spelling of the catalogue; without repetitions. */
export function providerNames(names: readonly string[] | undefined): string[] {
  return [...new Set((names ?? []).map(providerName))];
}
