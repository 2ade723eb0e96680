import { providerName } from '../event/provider.js';

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
  require?: { capabilities?: string[]; context_tokens?: number; regions?: string[] };
  provider?: ProviderPreferences;
  limit: number;
}

/** OpenRouter's `provider` object, as far as it is supported. */
export interface ProviderPreferences {
  order?: string[];
  only?: string[];
  ignore?: string[];
  sort?: 'price' | 'latency';
  /** USD per million tokens. */
  max_price?: { prompt?: number; completion?: number };
  allow_fallbacks?: boolean;
}

/** Provider names in the spelling of the catalogue; without repetitions. */
export function providerNames(names: readonly string[] | undefined): string[] {
  return [...new Set((names ?? []).map(providerName))];
}
