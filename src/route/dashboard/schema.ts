import {
  array,
  boolean,
  closed,
  countTo100,
  integer,
  integerOrNull,
  number,
  object,
  oneOf,
  orNull,
  string,
} from '../json-schema.js';
import { DEGRADATIONS, EXCLUSIONS } from '../reasons.js';

const MODELS_SHOWN = 20;
/** Names that one question may have. */
const MODELS_MAX = 100;

const integers = array(integer);
const degraded = array(oneOf(Object.keys(DEGRADATIONS)));

const offering = object({
  offering: string,
  provider: string,
  deployment: string,
  region: string,
  call_as: string,
  /** 0..1; those of a model sum to 1, or to 0 where nothing can be chosen. */
  share: number,
  excluded: oneOf([...Object.keys(EXCLUSIONS), null]),
  breaker: object({
    state: oneOf(['closed', 'half_open', 'open']),
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
  price: orNull(object({ input: integerOrNull, output: integerOrNull })),
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
  operationId: 'getBoard',
  summary: 'What would be decided now, model by model',
  tags: ['read'],
  querystring: closed({
    model: {
      type: 'string',
      minLength: 1,
      maxLength: 256,
      description: 'A part of the names of the models that are wanted.',
    },
    limit: {
      ...countTo100,
      default: String(MODELS_SHOWN),
      description: 'Models at most, 1..100.',
    },
  }),
  response: {
    200: object({
      object: oneOf(['board']),
      as_of: integer,
      now: integer,
      /** The default of the tenant that asks; empty = none. */
      policy: string,
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
    304: { type: 'null', description: 'Nothing changed since `If-None-Match`.' },
  },
};
