import { problemAnswer } from './route-schema.js';

const string = { type: 'string' };
const boolean = { type: 'boolean' };
const integer = { type: 'integer' };
const integerOrNull = { type: ['integer', 'null'] };
const numberOrNull = { type: ['number', 'null'] };
const strings = { type: 'array', items: string };
const stringsOrNull = { type: ['array', 'null'], items: string };

const object = (properties: Record<string, unknown>) => ({ type: 'object', properties });
const objectOrNull = (properties: Record<string, unknown>) => ({
  type: ['object', 'null'],
  properties,
});
const list = (item: object) => object({ object: string, data: { type: 'array', items: item } });

const nothing = { type: 'object', additionalProperties: false, properties: {} };
const page = (answer: object, querystring: object = nothing) => ({
  querystring,
  response: { 200: answer, '4xx': problemAnswer, '5xx': problemAnswer },
});

/** Nano-USD per million tokens, `request` per request; null = unknown, 0 = free. */
const price = {
  valid_from: integer,
  tiers: {
    type: 'array',
    items: object({
      above_input_tokens: integer,
      input: integerOrNull,
      cached_input: integerOrNull,
      cache_write: integerOrNull,
      output: integerOrNull,
      request: integerOrNull,
    }),
  },
};

const modelAnswer = object({
  id: string,
  object: string,
  created: integer,
  owned_by: string,
  display_name: string,
  capabilities: strings,
  context_tokens: integerOrNull,
  output_tokens_max: integerOrNull,
  enabled: boolean,
  offerings: {
    type: 'array',
    items: object({
      offering: string,
      provider: string,
      deployment: string,
      region: string,
      call_as: string,
      capabilities: stringsOrNull,
      context_tokens: integerOrNull,
      output_tokens_max: integerOrNull,
      weight: integer,
      priority: integer,
      enabled: boolean,
      prices: { type: 'array', items: object(price) },
    }),
  },
});

const percentiles = objectOrNull({
  p50: { type: 'number' },
  p75: { type: 'number' },
  p90: { type: 'number' },
  p99: { type: 'number' },
});

const endpointAnswer = object({
  offering: string,
  model_id: string,
  provider_name: string,
  deployment: string,
  region: string,
  call_as: string,
  enabled: boolean,
  breaker: string,
  context_length: integerOrNull,
  max_completion_tokens: integerOrNull,
  price: objectOrNull(price),
  latency_last_30m: percentiles,
  throughput_last_30m: percentiles,
  uptime_last_5m: numberOrNull,
  uptime_last_30m: numberOrNull,
  uptime_last_1d: numberOrNull,
  samples: object({
    latency_last_30m: integer,
    throughput_last_30m: integer,
    uptime_last_5m: integer,
    uptime_last_30m: integer,
    uptime_last_1d: integer,
  }),
});

export const models = page(list(modelAnswer));

/** One model, or `{model}/endpoints`. */
export const model = page(
  object({
    ...modelAnswer.properties,
    data: object({
      id: string,
      name: string,
      as_of: integer,
      stream: boolean,
      endpoints: { type: 'array', items: endpointAnswer },
    }),
  }),
  {
    type: 'object',
    additionalProperties: false,
    properties: { stream: { type: 'string', enum: ['true', 'false'] } },
  },
);

export const providers = page(
  list(
    object({
      id: string,
      object: string,
      display_name: string,
      enabled: boolean,
      models: integer,
      offerings: integer,
    }),
  ),
);

export const strategies = page(
  list(object({ id: string, object: string, algorithm: string, order: string, summary: string })),
);

export const health = page(object({ status: string }));

export const readiness = page(
  object({ status: string, generation: string, age_ms: integerOrNull }),
);
