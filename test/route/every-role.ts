import type { FastifyInstance } from 'fastify';
import { createMetrics } from '../../src/observe/metrics.js';
import { registerRouter } from '../../src/route/app.js';
import { registerDocs } from '../../src/route/docs/register.js';
import { createServer } from '../../src/route/server.js';
import type { Snapshot } from '../../src/route/snapshot.js';
import { registerIngestOn } from '../ingest/ingest-app.js';
import { AS_OF, catalogue, measured, minute, offering, tick, view } from './fixtures.js';

const own = offering('gpt-4o', 'openai');
const known = measured([own], {
  ticks: { [own.offering]: [tick(0, { success: 5 })] },
  minutes: { [own.offering]: [minute(5, { success: 99, error: 1 })] },
});

/** Every role on one server, as `airouter all` has them, and its routes as `METHOD /path`. */
export function everyRole(snapshot: Snapshot | null = known): {
  app: FastifyInstance;
  routes: Set<string>;
} {
  const app = createServer({ error: () => {} });
  const routes = new Set<string>();
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') routes.add(`${one} ${url}`);
  });
  registerDocs(app);
  registerRouter(app, {
    snapshotSource: { current: () => snapshot },
    clock: { nowMs: () => AS_OF * 1000 + 250 },
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    staleAfterMs: 10_000,
    metrics: createMetrics(),
    view: () => (snapshot === null ? null : view({ models: catalogue([own]) })),
  });
  registerIngestOn(app);
  return { app, routes };
}
