import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../clock.js';
import { BoardCache } from '../board.js';
import { BodyCache } from '../body-cache.js';
import type { Snapshot } from '../snapshot.js';
import { type Asset, readAssets } from './assets.js';
import { type BoardQuery, liveBoard, type Moment } from './live-board.js';
import * as schema from './schema.js';

export interface DashboardOptions {
  /** Throws `not_ready` where there is none. */
  snapshotOf: () => Snapshot;
  clock: Clock;
  /** What requests are decided by; the same, but in closed loops in virtual time. */
  asOfClock: Clock;
  staleAfterMs: number;
}

/** The dashboard at `/`, and `GET /v1/board`, which it reads each second while it is looked at. */
export function registerDashboard(app: FastifyInstance, options: DashboardOptions): void {
  for (const asset of readAssets()) registerAsset(app, asset);
  const boards = new BoardCache();
  const latest = latestMoment(options);
  app.get<{ Querystring: { model?: string; limit: string } }>(
    '/v1/board',
    { schema: schema.board, config: { problems: ['not_ready'] } },
    (request, reply) => {
      const { moment, bodies } = latest();
      const { model, limit } = request.query;
      const query: BoardQuery = { limit: Number(limit), ...(model !== undefined && { model }) };
      return bodies.send(request, reply, [moment], () => liveBoard(moment, query, boards));
    },
  );
}

/**
 * Nothing but the page's own files runs, is fetched or is styled by; no page frames it; where it
 * links to, its address is not told.
 */
const PAGE_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-cache',
};

function registerAsset(app: FastifyInstance, { url, type, etag, body }: Asset): void {
  app.get(url, (request, reply) => {
    reply.headers(PAGE_HEADERS).header('etag', etag);
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    return reply.type(type).send(body);
  });
}

/** A moment with the bodies that were made of it: they go with it. */
interface Latest {
  moment: Moment;
  bodies: BodyCache;
}

/** Whoever asks within one second of one state gets the same bytes, made once. */
function latestMoment(options: DashboardOptions): () => Latest {
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
