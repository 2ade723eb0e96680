import { OPERATIONS } from '../event/outcome.js';
import { DEGRADATIONS, REMARKS } from './reasons.js';
import { STRATEGIES } from './strategies/registry.js';

const MODEL = { type: 'string', minLength: 1, maxLength: 256 };
const MODELS = { type: 'array', minItems: 1, maxItems: 32, items: MODEL };
const NAMES = {
  type: 'array',
  maxItems: 64,
  items: { type: 'string', minLength: 1, maxLength: 128 },
};
const TOKENS = { type: 'integer', minimum: 0, maximum: 100_000_000 };
const USD = { type: 'number', minimum: 0, maximum: 1_000_000_000 };

const closed = (properties: Record<string, unknown>) => ({
  type: 'object',
  additionalProperties: false,
  properties,
});

/** Body of `POST /v1/route`. */
export const routeBody = {
  ...closed({
    model: MODEL,
    models: MODELS,
    model_set: MODELS,
    strategy: { type: 'string', enum: [...STRATEGIES.keys()] },
    operation: { type: 'string', enum: OPERATIONS, default: 'chat' },
    stream: { type: 'boolean', default: false },
    request_id: { type: 'string', maxLength: 256, default: '' },
    tried: {
      type: 'array',
      maxItems: 64,
      items: { type: 'string', minLength: 1, maxLength: 2048 },
      default: [],
    },
    estimate: closed({ input_tokens: TOKENS, output_tokens: TOKENS, cached_input_tokens: TOKENS }),
    require: closed({ capabilities: NAMES, context_tokens: TOKENS, regions: NAMES }),
    provider: closed({
      order: NAMES,
      only: NAMES,
      ignore: NAMES,
      sort: { type: 'string', enum: ['price', 'latency'] },
      max_price: closed({ prompt: USD, completion: USD }),
      allow_fallbacks: { type: 'boolean' },
    }),
    sticky_key: { type: 'string', maxLength: 0 },
    limit: { type: 'integer', minimum: 1, maximum: 32, default: 3 },
    explain: { type: 'boolean', const: false },
  }),
  oneOf: [{ required: ['model'] }, { required: ['models'] }, { required: ['model_set'] }],
};

const string = { type: 'string' };
const integerOrNull = { type: ['integer', 'null'] };

/** Answer of `POST /v1/route`. */
export const routeAnswer = {
  type: 'object',
  properties: {
    decision_id: string,
    policy: string,
    policy_hash: string,
    strategy: string,
    candidates: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          offering: string,
          model: string,
          provider: string,
          deployment: string,
          region: string,
          call_as: string,
          rank: { type: 'integer' },
          propensity: { type: 'number' },
          score: { type: ['number', 'null'] },
          expected: {
            type: 'object',
            properties: {
              duration_ms_p50: { type: 'integer' },
              ttft_ms_p50: integerOrNull,
              cost_nano_usd: integerOrNull,
              success_ratio: { type: 'number' },
            },
          },
          reasons: { type: 'array', items: { type: 'string', enum: Object.keys(REMARKS) } },
        },
      },
    },
    explored: { type: 'boolean' },
    degraded: { type: 'array', items: { type: 'string', enum: Object.keys(DEGRADATIONS) } },
    state: {
      type: 'object',
      properties: {
        as_of: { type: 'integer', description: 'The second read, in ms since the epoch.' },
        version: { type: 'integer' },
        vector: {
          type: 'object',
          additionalProperties: { type: 'array', items: { type: 'integer' } },
        },
        generation: string,
        age_ms: integerOrNull,
      },
    },
  },
};

/** RFC 9457. */
export const problemAnswer = {
  type: 'object',
  properties: {
    type: string,
    title: string,
    status: { type: 'integer' },
    code: string,
    detail: string,
    field: string,
    rule: string,
    excluded: {
      type: 'array',
      items: { type: 'object', properties: { offering: string, reason: string } },
    },
  },
};
