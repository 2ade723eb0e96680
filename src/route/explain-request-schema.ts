import { explanation } from './explain-schema.js';
import {
  array,
  boolean,
  closed,
  integer,
  object,
  orNull,
  record,
  string,
  uuid,
} from './json-schema.js';
import { routeAnswer, routeBody } from './route-schema.js';

const text = (maxLength: number) => ({ type: 'string', maxLength });
const moment = { type: 'integer', minimum: 0, maximum: 8_640_000_000_000 };
const offerings = (fields: Record<string, unknown>) => ({
  type: 'array',
  maxItems: 100_000,
  items: closed({ offering: text(2048), ...fields }),
});

/** A record of the decision log. */
const decision = {
  ...closed({
    decision_id: uuid,
    decided_at: moment,
    as_of: moment,
    tenant: text(128),
    policy: text(128),
    policy_hash: text(128),
    strategy: text(64),
    algorithm: text(64),
    state: {
      ...closed({
        generation: text(200),
        version: { type: 'integer' },
        vector: record(array(integer)),
      }),
      required: ['generation', 'version', 'vector'],
    },
    request: text(2048),
    request_hashed: boolean,
    unit: { type: 'string', enum: ['decision', 'sticky', 'time_block', 'none'] },
    unit_hash: text(64),
    eligible: offerings({ mass: integer }),
    excluded: offerings({ reason: text(64) }),
    slate: { type: 'array', maxItems: 32, items: text(2048) },
    degraded: { type: 'array', maxItems: 8, items: text(64) },
  }),
  required: ['decision_id', 'decided_at', 'tenant', 'state', 'request', 'request_hashed'],
};

const lane = orNull(
  object({
    version: integer,
    vector: record(array(integer)),
    writtenAtMs: integer,
    writeId: string,
  }),
);

/** What `GET /v1/state` answers. */
const saved = object({
  generation: { type: 'string', minLength: 1, maxLength: 200 },
  state: object({
    epoch: string,
    revision: integer,
    writeId: string,
    lanes: { ...object({ health: lane, metrics: lane }), additionalProperties: false },
  }),
  values: record(string),
});

export const explain = {
  operationId: 'explain',
  summary: 'Why a decision was made, or would be',
  description:
    'Of a record of the decision log, computed again: from the state that the router holds, or from ' +
    'the one that is given; `recomputed` says whether it is the same. Of a request, as a preview: ' +
    'it has no id and is never evidence.',
  tags: ['route'],
  body: {
    ...closed({
      decision,
      request: {
        ...routeBody,
        properties: { ...routeBody.properties, seed: { type: 'string', maxLength: 256 } },
      },
      decided_at: moment,
      state: { ...saved, additionalProperties: false },
    }),
    description: 'One of `decision` and `request`.',
  },
  response: {
    200: {
      ...routeAnswer,
      required: [...routeAnswer.required, 'explain', 'recomputed'],
      properties: {
        ...routeAnswer.properties,
        explain: explanation,
        recomputed: orNull(object({ same: boolean, differs: array(string) })),
      },
    },
  },
};

export const state = {
  operationId: 'getState',
  summary: 'All hot keys as they were read last',
  description: 'Saved, it lets any router explain a decision that was made from it, at any time.',
  tags: ['operate'],
  querystring: closed({}),
  response: { 200: { ...saved, additionalProperties: false } },
};
