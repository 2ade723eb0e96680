import type { FastifyInstance } from 'fastify';
import { type Access, guard, guardButLocal, guardPages } from '../access/access.js';
import { localAccess } from '../access/local-access.js';
import type { Clock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import type { Decision } from '../event/outcome.js';
import type { HotView } from '../hotkeys/poller.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { BoardCache } from './board-cache.js';
import { BodyCache } from './body-cache.js';
import { registerBoard, registerDashboard } from './dashboard/register.js';
import { registerDocs } from './docs/register.js';
import { registerExplain } from './explain-handler.js';
import { clockMint, type Mint } from './mint.js';
import { registerPages } from './pages.js';
import { health, metricsPage, readiness } from './pages-schema.js';
import { registerRoute } from './route-handler.js';
import { createServer } from './server.js';
import { ServiceCounts } from './service-counts.js';
import type { Snapshot } from './snapshot.js';
import type { SnapshotSource } from './snapshot-source.js';
import { type Figures, registerClear, registerStats } from './stats.js';

export interface RouteAppOptions {
  snapshotSource: SnapshotSource;
  clock: Clock;
  /** What requests are decided by, where that is not `clock`: closed loops in virtual time. */
  asOfClock?: Clock;
  logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Age of the state from which an answer says `stale`. */
  staleAfterMs: number;
  /** Takes each decision for the log, after its answer; must not wait and must not throw. */
  onDecision?: (decision: Decision) => void;
  /** Identity and moment of decisions; by default UUIDv7 at the clock's time. */
  mint?: Mint;
  /** By default only programs on this machine are served. */
  access?: Access;
  metrics?: Metrics;
  /** Of what stands behind the hot keys, from memory. */
  figures?: () => Figures | null;
  /** The hot keys as they were read last. */
  view?: () => HotView | null;
  /** Asks for all hot keys anew; never rejects. */
  readAnew?: () => Promise<void>;
}

/** The router's HTTP application; not listening yet. */
export function createRouteApp(options: RouteAppOptions): FastifyInstance {
  const app = createServer(options.logger);
  registerDocs(app);
  registerRouter(app, options);
  return app;
}

/** The router's routes, on a server that may have those of other roles too. */
export function registerRouter(app: FastifyInstance, options: RouteAppOptions): void {
  const { snapshotSource, clock, logger, staleAfterMs, access = localAccess } = options;
  const asOfClock = options.asOfClock ?? clock;
  const snapshotOf = (): Snapshot => {
    const snapshot = snapshotSource.current();
    if (snapshot !== null) return snapshot;
    throw new AiRouterError('not_ready', 'no hot keys have been read yet');
  };
  const counts = new ServiceCounts();
  const bodies = new BodyCache(counts);
  const boards = boardsOf(options);
  registerProbes(app, snapshotSource, clock);
  app.register(async (deciding) => {
    guard(deciding, access, 'route');
    registerRoute(deciding, {
      snapshotOf,
      boards,
      counts,
      mint: options.mint ?? clockMint(clock),
      staleAfterMs,
      onDecision: options.onDecision ?? (() => {}),
      metrics: options.metrics ?? null,
      logger,
    });
  });
  app.register(async (reading) => {
    guard(reading, access, 'route', 'analyst');
    registerPages(reading, { snapshotOf, clock: asOfClock, bodies });
    registerBoard(reading, { snapshotOf, clock, asOfClock, staleAfterMs });
  });
  app.register(async (operating) => {
    guard(operating, access, 'analyst');
    registerStats(operating, { counts, figures: options.figures ?? (() => null) });
  });
  app.register(async (explaining) => {
    guard(explaining, access, 'analyst');
    const view = options.view ?? (() => null);
    registerExplain(explaining, { snapshotOf, view, clock: asOfClock, staleAfterMs });
  });
  app.register(async (administering) => {
    guard(administering, access, 'admin');
    const readAnew = options.readAnew ?? (async () => {});
    registerClear(administering, { snapshotOf, bodies, boards, readAnew });
  });
  app.register(async (pages) => {
    guardPages(pages, access);
    registerDashboard(pages);
  });
  if (options.metrics !== undefined) registerMetrics(app, options.metrics, access);
}

/**
 * Plans are made ahead in real time alone. A closed loop waits for the last state of each step, so
 * those before it are asked nothing, and its seconds pass faster than plans could be made for them.
 */
function boardsOf({ clock, asOfClock, snapshotSource }: RouteAppOptions): BoardCache {
  if (asOfClock !== undefined) return new BoardCache();
  const boards = new BoardCache(setImmediate);
  snapshotSource.subscribe?.((snapshot) =>
    boards.renew(snapshot, Math.floor(clock.nowMs() / 1000)),
  );
  return boards;
}

/** For orchestrators, which call from elsewhere and hold no key: they tell nothing of anybody. */
function registerProbes(root: FastifyInstance, source: SnapshotSource, clock: Clock): void {
  const isPublic = { isPublic: true } as const;
  root.register(async (app) => {
    app.get('/healthz', { schema: health, config: isPublic }, (_request, reply) =>
      reply.send({ status: 'ok' }),
    );
    const config = { ...isPublic, problems: ['not_ready'] as const };
    app.get('/readyz', { schema: readiness, config }, (_request, reply) => {
      const snapshot = source.current();
      if (snapshot === null) {
        throw new AiRouterError('not_ready', 'no hot keys have been read yet');
      }
      const writtenAtMs = snapshot.state?.lanes.health?.writtenAtMs;
      return reply.send({
        status: 'ready',
        generation: snapshot.generation,
        age_ms: writtenAtMs === undefined ? null : Math.max(0, clock.nowMs() - writtenAtMs),
      });
    });
  });
}

/** Whoever collects metrics from this machine needs no key. */
export function registerMetrics(app: FastifyInstance, metrics: Metrics, access: Access): void {
  const { registry } = metrics;
  app.register(async (collected) => {
    guardButLocal(collected, access, 'analyst');
    collected.get('/metrics', { schema: metricsPage }, async (_request, reply) => {
      reply.type(registry.contentType);
      return registry.metrics();
    });
  });
}
