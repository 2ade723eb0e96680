import { wallClock } from '../clock.js';
import type { Config } from '../config.js';
import { AiRouterError } from '../errors.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { registerMetrics } from '../route/app.js';
import { health } from '../route/pages-schema.js';
import { createServer } from '../route/server.js';
import { openEdge } from './edge.js';
import { listen } from './listen.js';
import type { Projector } from './project.js';

export interface ProjectServerParts {
  config: Config;
  logger: Logger;
  metrics: Metrics;
  projector: Pick<Projector, 'isAlive'>;
}

/** Null where it does not listen. */
export interface ProjectServer {
  port: number | null;
  close(): Promise<void>;
}

/** Liveness and metrics of a projector, which serves nothing else. */
export async function startProjectServer(parts: ProjectServerParts): Promise<ProjectServer> {
  const { config, logger, metrics, projector } = parts;
  if (config.projectPort === null) return { port: null, close: async () => {} };
  const edge = await openEdge(config, logger, wallClock);
  const app = createServer(logger, { metrics, overload: edge.overload });
  app.register(async (open) => {
    const settings = { isPublic: true, problems: ['log_unavailable'] } as const;
    open.get('/healthz', { schema: health, config: settings }, async () => {
      if (projector.isAlive()) return { status: 'ok' };
      throw new AiRouterError('log_unavailable', 'reading is behind and gives no sign of life');
    });
  });
  registerMetrics(app, metrics, edge.access);
  const { host } = config;
  const port = await listen(app, { host, port: config.projectPort });
  return {
    port,
    async close() {
      await app.close();
      await edge.close();
    },
  };
}
