import {
  array,
  boolean,
  closed,
  countTo1000,
  integer,
  integerOrNull,
  list,
  number,
  numberOrNull,
  object,
  oneOf,
  orNull,
  string,
  strings,
  stringsOrNull,
} from './json-schema.js';

/** Items of one page. */
const PAGE_ITEMS_MAX = 1000;

/** Of GET: what is known to the caller is not sent again. */
const unchanged = { type: 'null', description: 'Nothing changed since `If-None-Match`.' };

const page = (
  about: { operationId: string; summary: string; description?: string },
  answer: object,
  other: { querystring?: object; params?: object } = {},
) => ({
  ...about,
  tags: ['read'],
  querystring: closed({}),
  ...other,
  response: { 200: answer, 304: unchanged },
});

/** A part of a list in the order of its ids, as OpenAI's lists are read. */
const part = closed({
  limit: {
    ...countTo1000,
    description: `Entries at most, 1..${PAGE_ITEMS_MAX}; all where it is not given.`,
  },
  after: {
    type: 'string',
    maxLength: 256,
    description: 'Begin behind this id: `last_id` of the part before.',
  },
});

const listPart = (item: object) => {
  const idOrNull = { type: ['string', 'null'] };
  return object({
    object: oneOf(['list']),
    data: array(item),
    first_id: idOrNull,
    last_id: idOrNull,
    has_more: boolean,
  });
};

/** Nano-USD per million tokens, `request` per request; null = unknown, 0 = free. */
const price = object({
  valid_from: integer,
  tiers: array(
    object({
      above_input_tokens: integer,
      input: integerOrNull,
      cached_input: integerOrNull,
      cache_write: integerOrNull,
      output: integerOrNull,
      request: integerOrNull,
    }),
  ),
});

const modelAnswer = object({
  id: string,
  object: oneOf(['model']),
  created: integer,
  owned_by: string,
  display_name: string,
  aliases: strings,
  capabilities: strings,
  context_tokens: integerOrNull,
  output_tokens_max: integerOrNull,
  enabled: boolean,
  offerings: array(
    object({
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
      prices: array(price),
    }),
  ),
});

const percentiles = orNull(object({ p50: number, p75: number, p90: number, p99: number }));

const endpointAnswer = object({
  offering: string,
  model_id: string,
  provider_name: string,
  deployment: string,
  region: string,
  call_as: string,
  enabled: boolean,
  breaker: oneOf(['closed', 'half_open', 'open']),
  context_length: integerOrNull,
  max_completion_tokens: integerOrNull,
  price: orNull(price),
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

const endpointsAnswer = object({
  data: object({
    id: string,
    name: string,
    as_of: integer,
    stream: boolean,
    endpoints: array(endpointAnswer),
  }),
});

/** The two answers about one model: its names may hold what looks like the other's path. */
export const ANSWERS_OF_MODEL = { model: modelAnswer, endpoints: endpointsAnswer };

export const models = page(
  {
    operationId: 'listModels',
    summary: 'Models with their offerings and prices',
    description: 'In the shape of OpenAI’s list; everything that belongs to a model is in it.',
  },
  listPart(modelAnswer),
  { querystring: part },
);

const model_ = { type: 'string', description: 'Name or alias; slashes may stand as they are.' };
const params = { type: 'object', properties: { model: model_ } };
const stream = closed({
  stream: {
    type: 'string',
    enum: ['true', 'false'],
    description: 'Whose latencies are told; those of the more frequent kind where not given.',
  },
});

export const model = page(
  { operationId: 'getModel', summary: 'One model with its offerings and prices' },
  modelAnswer,
  { params, querystring: stream },
);

export const endpoints = page(
  {
    operationId: 'getModelEndpoints',
    summary: 'What was measured at the offerings of a model',
    description:
      'Latency in milliseconds, throughput in tokens per second; uptime is success / (success + failures ' +
      'of the provider) of first attempts. Null is not measured.',
  },
  endpointsAnswer,
  { params, querystring: stream },
);

/** The same two for names with slashes, which no parameter of the document can hold. */
export const modelPath = { hide: true, querystring: stream };

export const providers = page(
  { operationId: 'listProviders', summary: 'Providers' },
  listPart(
    object({
      id: string,
      object: oneOf(['provider']),
      display_name: string,
      enabled: boolean,
      models: integer,
      offerings: integer,
    }),
  ),
  { querystring: part },
);

export const strategies = page(
  { operationId: 'listStrategies', summary: 'Strategies, the first is the default' },
  list(
    object({
      id: string,
      object: oneOf(['strategy']),
      algorithm: string,
      order: oneOf(['drawn', 'fixed']),
      summary: string,
    }),
  ),
);

const probe = (operationId: string, summary: string, answer: object) => ({
  operationId,
  summary,
  tags: ['operate'],
  querystring: closed({}),
  response: { 200: answer },
});

export const health = probe(
  'getHealth',
  'Whether the process serves',
  object({ status: oneOf(['ok']) }),
);

export const readiness = probe(
  'getReadiness',
  'Whether it has what it answers from',
  object({ status: oneOf(['ready']), generation: string, age_ms: integerOrNull }, [
    'generation',
    'age_ms',
  ]),
);

export const metricsPage = {
  operationId: 'getMetrics',
  summary: 'Metrics in Prometheus’s text format',
  tags: ['operate'],
  response: { 200: { content: { 'text/plain': { schema: { type: 'string' } } } } },
};
