import {
  closed,
  integer,
  integerOrNull,
  numberOrNull,
  object,
  orNull,
  string,
} from './json-schema.js';

const table = object({
  live_rows: integer,
  dead_rows: integer,
  inserts: integer,
  updates: integer,
  deletes: integer,
  bytes: integer,
});

/** Null where nothing wrote the figure lately, or where the part is in the process itself. */
export const stats = {
  operationId: 'getStats',
  summary: 'Figures of the database, the store of the hot keys and this process',
  description:
    'As of the last seconds; no request waits for them. Of the store, those of the node that was ' +
    'asked; of this process, since it started. Null is not known.',
  tags: ['operate'],
  querystring: closed({}),
  response: {
    200: object({
      database: object({
        connection_statistics: orNull(
          object({ total: integer, active: integer, idle: integer, max: integer }),
        ),
        table_statistics: {
          type: ['object', 'null'],
          additionalProperties: table,
          description: 'By table of the projection; rows are estimates.',
        },
        cache_efficiency: { ...numberOrNull, description: 'Blocks found in memory, in percent.' },
      }),
      redis: object({
        connected_clients: integerOrNull,
        used_memory_human: { type: ['string', 'null'] },
        keyspace_hits: integerOrNull,
        keyspace_misses: integerOrNull,
      }),
      service_performance: object({
        cache_hits: { ...integer, description: 'Answers whose plan or body was there already.' },
        cache_misses: { ...integer, description: 'Answers for which it had to be made.' },
        cache_hit_rate: { ...numberOrNull, description: 'In percent.' },
        avg_query_time: {
          ...numberOrNull,
          description: 'Mean seconds of deciding, or of making or finding a body.',
        },
      }),
    }),
  },
};

export const clear = {
  operationId: 'clearCache',
  summary: 'Forget what was made of the state, and read the state anew',
  description: 'What is known stands until there is something newer.',
  tags: ['operate'],
  response: {
    200: object({
      cleared: object({ bodies: integer, plans: integer }),
      state: object({ generation: string, version: integer }),
    }),
  },
};
