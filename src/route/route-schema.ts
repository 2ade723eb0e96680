import { OPERATIONS } from '../event/outcome.js';
import { explanation } from './explain-schema.js';
import {
  array,
  boolean,
  closed,
  integer,
  integerOrNull,
  number,
  numberOrNull,
  object,
  oneOf,
  record,
  string,
} from './json-schema.js';
import { LATENCY, MODEL, MODELS, PROVIDER, REQUIRE, TOKENS } from './preference-schema.js';
import { DEGRADATIONS, REMARKS } from './reasons.js';
import { STRATEGIES } from './strategies/registry.js';

/** Body of `POST /v1/route`. */
export const routeBody = {
  ...closed({
    model: MODEL,
    models: MODELS,
    model_set: MODELS,
    strategy: { type: 'string', enum: [...STRATEGIES.keys()] },
    operation: { type: 'string', enum: OPERATIONS, default: 'chat' },
    stream: { type: 'boolean', default: false },
    // As long as that of an outcome, which is to be joined by it.
    request_id: { type: 'string', maxLength: 128, default: '' },
    tried: {
      type: 'array',
      maxItems: 64,
      items: { type: 'string', minLength: 1, maxLength: 2048 },
      default: [],
    },
    estimate: closed({ input_tokens: TOKENS, output_tokens: TOKENS, cached_input_tokens: TOKENS }),
    require: REQUIRE,
    provider: PROVIDER,
    latency: LATENCY,
    policy: { type: 'string', minLength: 1, maxLength: 128 },
    sticky_key: { type: 'string', maxLength: 512 },
    limit: { type: 'integer', minimum: 1, maximum: 32, default: 3 },
    explain: { type: 'boolean' },
    seed: { type: 'string', maxLength: 256 },
  }),
  oneOf: [{ required: ['model'] }, { required: ['models'] }, { required: ['model_set'] }],
};

/** Answer of `POST /v1/route`. */
export const routeAnswer = object(
  {
    decision_id: { type: ['string', 'null'], description: 'Null of a preview.' },
    policy: string,
    policy_hash: string,
    variant: string,
    unit: oneOf(['decision', 'sticky', 'time_block']),
    strategy: string,
    candidates: array(
      object({
        offering: string,
        model: string,
        provider: string,
        deployment: string,
        region: string,
        call_as: string,
        rank: integer,
        propensity: number,
        score: numberOrNull,
        expected: object({
          duration_ms_p50: integer,
          ttft_ms_p50: integerOrNull,
          cost_nano_usd: integerOrNull,
          success_ratio: number,
        }),
        reasons: array(oneOf(Object.keys(REMARKS))),
      }),
    ),
    explored: boolean,
    degraded: array(oneOf(Object.keys(DEGRADATIONS))),
    state: object({
      as_of: { type: 'integer', description: 'The second read, in ms since the epoch.' },
      version: integer,
      vector: record(array(integer)),
      generation: string,
      age_ms: integerOrNull,
    }),
    explain: explanation,
  },
  ['explain'],
);
