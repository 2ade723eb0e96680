import { closed } from './json-schema.js';
import { LATENCY_METRICS, PERCENTILES } from './latency.js';

/** Parts of the JSON schemas of requests and of policies: what either may ask for. */

export const MODEL = { type: 'string', minLength: 1, maxLength: 256 };
export const MODELS = { type: 'array', minItems: 1, maxItems: 32, items: MODEL };
export const TOKENS = { type: 'integer', minimum: 0, maximum: 100_000_000 };

const NAMES = {
  type: 'array',
  maxItems: 64,
  items: { type: 'string', minLength: 1, maxLength: 128 },
};
const USD = { type: 'number', minimum: 0, maximum: 1_000_000_000 };

/** A number is of p50. */
const cutoffs = (limit: Record<string, unknown>) => ({
  // The object first: its errors name the percentile at fault.
  oneOf: [
    {
      ...closed(
        Object.fromEntries(PERCENTILES.map((name) => [name, { type: 'number', ...limit }])),
      ),
      minProperties: 1,
    },
    { type: 'number', ...limit },
  ],
});

export const REQUIRE = closed({ capabilities: NAMES, context_tokens: TOKENS, regions: NAMES });

/** Names, units and meaning of OpenRouter. */
export const PROVIDER = closed({
  order: NAMES,
  only: NAMES,
  ignore: NAMES,
  sort: { type: 'string', enum: ['price', 'throughput', 'latency'] },
  max_price: closed({ prompt: USD, completion: USD }),
  preferred_max_latency: cutoffs({ exclusiveMinimum: 0, maximum: 86_400 }),
  preferred_min_throughput: cutoffs({ minimum: 0, maximum: 1_000_000 }),
  allow_fallbacks: { type: 'boolean' },
});

export const LATENCY = closed({
  metric: { type: 'string', enum: LATENCY_METRICS },
  percentile: { type: 'string', enum: PERCENTILES },
  window_minutes: { type: 'integer', minimum: 1, maximum: 30 },
  buffer: { type: 'number', minimum: 0, maximum: 10 },
});
