import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../clock.js';
import { BoardCache } from '../board-cache.js';
import { BodyCache } from '../body-cache.js';
import type { Snapshot } from '../snapshot.js';
import { readAssets } from './assets.js';
import { type BoardQuery, liveBoard, type Moment } from './live-board.js';
import * as schema from './schema.js';

export interface BoardOptions {
  /** Throws `not_ready` where there is none. */
  snapshotOf: () => Snapshot;
  clock: Clock;
  /** What requests are decided by; the same, but in closed loops in virtual time. */
  asOfClock: Clock;
  staleAfterMs: number;
}

/** `GET /v1/board`, which the dashboard reads each second while it is looked at. */
export function registerBoard(app: FastifyInstance, options: BoardOptions): void {
  const boards = new BoardCache();
  const latest = latestMoment(options);
  app.get<{ Querystring: { model?: string; limit: string } }>(
    '/v1/board',
    { schema: schema.board, config: { problems: ['not_ready'] } },
    (request, reply) => {
      const { moment, bodies } = latest();
      const { model, limit } = request.query;
      const tenant = request.caller?.tenant ?? '';
      const query: BoardQuery = {
        tenant,
        limit: Number(limit),
        ...(model !== undefined && { model }),
      };
      return bodies.send(request, reply, [moment, tenant], () => liveBoard(moment, query, boards));
    },
  );
}

/** The dashboard at `/`: files that hold nobody's data. */
export function registerDashboard(app: FastifyInstance): void {
  app.register(helmet, PAGE_HEADERS);
  for (const { url, type, etag, body } of readAssets()) {
    app.get(url, (request, reply) => {
      reply.header('etag', etag).header('cache-control', 'no-cache');
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      return reply.type(type).send(body);
    });
  }
}

/**
 * Nothing but the page's own files runs, is fetched or is styled by; no page frames it; where it
 * links to, its address is not told.
 */
const PAGE_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
      trustedTypes: ["'none'"],
    },
  },
  frameguard: { action: 'deny' },
  // For a whole host and its other ports: up to whoever ends TLS before it.
  strictTransportSecurity: false,
};

/** A moment with the bodies that were made of it: they go with it. */
interface Latest {
  moment: Moment;
  bodies: BodyCache;
}

/** Whoever asks within one second of one state gets the same bytes, made once. */
function latestMoment(options: BoardOptions): () => Latest {
  const { snapshotOf, clock, asOfClock, staleAfterMs } = options;
  let latest: Latest | null = null;
  return () => {
    const snapshot = snapshotOf();
    const asOf = Math.floor(asOfClock.nowMs() / 1000);
    const nowMs = Math.floor(clock.nowMs() / 1000) * 1000;
    const known = latest?.moment;
    if (known?.snapshot !== snapshot || known.asOf !== asOf || known.nowMs !== nowMs) {
      const moment = { snapshot, asOf, nowMs, staleAfterMs };
      latest = { moment, bodies: new BodyCache() };
    }
    return latest!;
  };
}
