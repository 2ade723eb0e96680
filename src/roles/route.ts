import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import type { Decision } from '../event/outcome.js';
import { createPoller, type Poller } from '../hotkeys/poller.js';
import type { HotKeys } from '../hotkeys/port.js';
import { createRedisHotKeys } from '../hotkeys/redis-hot-keys.js';
import type { ModelsValue } from '../hotkeys/values.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { registerRouter } from '../route/app.js';
import { registerDocs } from '../route/docs/register.js';
import { registerHotKeysOwner } from '../route/hot-keys-owner.js';
import type { Mint } from '../route/mint.js';
import type { OverloadLimits } from '../route/overload.js';
import { createServer } from '../route/server.js';
import { createSnapshotSource } from '../route/snapshot-source.js';
import { startReadingFigures } from './figures.js';
import { listen } from './listen.js';

export interface RouterParts {
  config: Config;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  hotKeys: HotKeys;
  /** By default only programs on this machine are served. */
  access?: Access;
  /** By default nothing is refused for it. */
  overload?: OverloadLimits;
  /** Virtual time, in closed loops only. */
  mint?: Mint;
  asOfClock?: Clock;
  /** The catalogue to answer from until hot keys were read. */
  fallbackModels?: ModelsValue;
  /** Serves the hot keys of this process to those that attach to it and know the token. */
  ownerToken?: string;
  /** Takes each decision for the log, after its answer; must not wait and must not throw. */
  onDecision?: (decision: Decision) => void;
  /** Adds the routes of other roles of this process. */
  register?: (app: FastifyInstance) => void;
}

export interface Router {
  /** The port that it listens on. */
  port: number;
  poller: Poller;
  /** Answers what is in flight, then stops. */
  close(): Promise<void>;
}

/** The `route` role: hot keys into a snapshot, and answers from it. */
export async function startRouter(parts: RouterParts): Promise<Router> {
  const { config, clock, logger, metrics, hotKeys, mint, fallbackModels, ownerToken } = parts;
  const { asOfClock, onDecision, register, access, overload } = parts;
  const snapshots = createSnapshotSource(
    fallbackModels === undefined ? { logger } : { logger, fallbackModels },
  );
  const poller = createPoller({
    hotKeys,
    pollIntervalMs: config.pollIntervalMs,
    onChange: snapshots.onChange,
    clock,
    logger,
  });
  const figures = startReadingFigures(hotKeys, logger);
  const app = createServer(logger, { metrics, ...(overload !== undefined && { overload }) });
  registerDocs(app);
  registerRouter(app, {
    snapshotSource: snapshots,
    clock,
    logger,
    metrics,
    staleAfterMs: config.staleAfterMs,
    figures: figures.current,
    view: () => poller.view,
    readAnew: () => poller.readAnew(),
    ...(access !== undefined && { access }),
    ...(mint !== undefined && { mint }),
    ...(asOfClock !== undefined && { asOfClock }),
    ...(onDecision !== undefined && { onDecision }),
  });
  if (ownerToken !== undefined) registerHotKeysOwner(app, hotKeys, ownerToken);
  register?.(app);
  const port = await listen(app, config).catch(async (error: unknown) => {
    await figures.close();
    await poller.close();
    throw error;
  });
  return {
    port,
    poller,
    async close() {
      await app.close();
      await figures.close();
      await poller.close();
    },
  };
}

/** The hot keys in Redis, as the settings name it. */
export function redisHotKeys(config: Config, logger: Logger): HotKeys {
  return createRedisHotKeys({ urls: config.redisUrl!, namespace: config.namespace, logger });
}
