import type { FastifyInstance } from 'fastify';
import { AiRouterError } from '../errors.js';
import type { StoreFigures } from '../hotkeys/port.js';
import type { BoardCache } from './board-cache.js';
import type { BodyCache } from './body-cache.js';
import type { ServiceCounts } from './service-counts.js';
import type { Snapshot } from './snapshot.js';
import { stateRefOf } from './state-ref.js';
import * as schema from './stats-schema.js';

/** Figures of what stands behind the hot keys, as they were read last. */
export interface Figures {
  store: StoreFigures;
  /** As the projector wrote them. */
  database: unknown;
}

export interface StatsOptions {
  counts: ServiceCounts;
  /** From memory; null = none are known. */
  figures: () => Figures | null;
}

/** `GET /v1/stats`: figures for people, in the shape that the project began with. */
export function registerStats(app: FastifyInstance, { counts, figures }: StatsOptions): void {
  app.get('/v1/stats', { schema: schema.stats }, (_request, reply) => {
    const { store, database } = figures() ?? { store: null, database: null };
    reply.header('cache-control', 'no-store');
    return reply.send({
      database: database ?? NO_DATABASE,
      redis: store ?? NO_STORE,
      service_performance: {
        cache_hits: counts.hits,
        cache_misses: counts.misses,
        cache_hit_rate: percent(counts.hitRate),
        avg_query_time: counts.meanSeconds,
      },
    });
  });
}

const NO_DATABASE = {
  connection_statistics: null,
  table_statistics: null,
  cache_efficiency: null,
};

const NO_STORE: StoreFigures = {
  connected_clients: null,
  used_memory_human: null,
  keyspace_hits: null,
  keyspace_misses: null,
};

function percent(share: number | null): number | null {
  return share === null ? null : Math.round(share * 1000) / 10;
}

export interface ClearOptions {
  snapshotOf: () => Snapshot;
  bodies: BodyCache;
  boards: BoardCache;
  /** Asks for all hot keys anew; never rejects. */
  readAnew: () => Promise<void>;
}

/**
 * `POST /v1/cache/clear`: forgets what was made of the state, and asks for the state anew. What is
 * known stands until there is something newer, so nobody is left without an answer.
 */
export function registerClear(app: FastifyInstance, options: ClearOptions): void {
  const { snapshotOf, bodies, boards, readAnew } = options;
  const config = { problems: ['not_ready'] as const };
  app.post('/v1/cache/clear', { schema: schema.clear, config }, async ({ body }) => {
    if (body !== undefined && JSON.stringify(body) !== '{}') {
      throw new AiRouterError('invalid_request', 'body must be absent, or an empty object', {
        field: 'body',
        rule: 'absent, or an empty object',
      });
    }
    const cleared = { bodies: bodies.clear(), plans: boards.clear() };
    await readAnew();
    const { generation, version } = stateRefOf(snapshotOf());
    return { cleared, state: { generation, version } };
  });
}
