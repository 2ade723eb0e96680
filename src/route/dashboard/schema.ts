import { DEGRADATIONS, EXCLUSIONS } from '../reasons.js';
import { problemAnswer } from '../route-schema.js';

export const MODELS_SHOWN = 20;
const MODELS_MAX = 100;

const string = { type: 'string' };
const boolean = { type: 'boolean' };
const integer = { type: 'integer' };
const number = { type: 'number' };
const integerOrNull = { type: ['integer', 'null'] };
const integers = { type: 'array', items: integer };
const degraded = {
  type: 'array',
  items: { type: 'string', enum: Object.keys(DEGRADATIONS) },
};

const object = (properties: Record<string, unknown>) => ({ type: 'object', properties });

const offering = object({
  offering: string,
  provider: string,
  deployment: string,
  region: string,
  call_as: string,
  /** 0..1; those of a model sum to 1, or to 0 where nothing can be chosen. */
  share: number,
  excluded: { type: ['string', 'null'], enum: [...Object.keys(EXCLUSIONS), null] },
  breaker: object({
    state: { type: 'string', enum: ['closed', 'open', 'half_open'] },
    share: number,
    reason: { type: ['string', 'null'] },
  }),
  /** Weighted by age; 0 = what is expected rests on model and provider alone. */
  samples: number,
  changed: boolean,
  expected: object({
    duration_ms_p50: integer,
    ttft_ms_p50: integerOrNull,
    cost_nano_usd: integerOrNull,
    success_ratio: number,
  }),
  /** Nano-USD per million tokens. */
  price: { ...object({ input: integerOrNull, output: integerOrNull }), type: ['object', 'null'] },
  ticks: object({ success: integers, failure: integers }),
});

const model = object({
  id: string,
  name: string,
  stream: boolean,
  degraded,
  outcomes_last_2m: object({ success: integer, failure: integer }),
  best: { type: ['string', 'null'] },
  offerings: { type: 'array', items: offering },
});

/** `GET /v1/board`. */
export const board = {
  querystring: {
    type: 'object',
    additionalProperties: false,
    properties: {
      model: { type: 'string', minLength: 1, maxLength: 256 },
      // Parameters are text, and nothing is coerced.
      limit: { type: 'string', pattern: '^([1-9][0-9]?|100)$', default: String(MODELS_SHOWN) },
    },
  },
  response: {
    200: object({
      object: string,
      as_of: integer,
      now: integer,
      state: object({
        version: integer,
        generation: string,
        age_ms: integerOrNull,
        stale_after_ms: integer,
      }),
      degraded,
      models_total: integer,
      offerings_total: integer,
      models_matching: integer,
      models: { type: 'array', maxItems: MODELS_MAX, items: model },
    }),
    '4xx': problemAnswer,
    '5xx': problemAnswer,
  },
};
