import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import { AiRouterError } from '../errors.js';
import { createPoller, type Poller } from '../hotkeys/poller.js';
import type { HotKeys } from '../hotkeys/port.js';
import { createRedisHotKeys } from '../hotkeys/redis-hot-keys.js';
import type { ModelsValue } from '../hotkeys/values.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { registerRouter } from '../route/app.js';
import { registerHotKeysOwner } from '../route/hot-keys-owner.js';
import type { Mint } from '../route/mint.js';
import { createServer } from '../route/server.js';
import { createSnapshotSource } from '../route/snapshot-source.js';

export interface RouterParts {
  config: Config;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  hotKeys: HotKeys;
  /** Virtual time, in closed loops only. */
  mint?: Mint;
  /** The catalogue to answer from until hot keys were read. */
  fallbackModels?: ModelsValue;
  /** Serves the hot keys of this process to those that attach to it and know the token. */
  ownerToken?: string;
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
  const app = createServer(logger);
  registerRouter(app, {
    snapshotSource: snapshots,
    clock,
    logger,
    metrics,
    staleAfterMs: config.staleAfterMs,
    ...(mint !== undefined && { mint }),
  });
  if (ownerToken !== undefined) registerHotKeysOwner(app, hotKeys, ownerToken);
  try {
    await app.listen({ port: config.port, host: config.host });
  } catch (error) {
    await poller.close();
    throw asListenError(error, config);
  }
  return {
    port: (app.server.address() as AddressInfo).port,
    poller,
    async close() {
      await app.close();
      await poller.close();
    },
  };
}

/** The hot keys in Redis, as the settings name it. */
export function redisHotKeys(config: Config, logger: Logger): HotKeys {
  return createRedisHotKeys({ urls: config.redisUrl!, namespace: config.namespace, logger });
}

function asListenError(error: unknown, { host, port }: Config): unknown {
  const code = (error as { code?: string }).code;
  if (code === 'EADDRINUSE') {
    return new AiRouterError('port_in_use', `PORT ${port} on ${host} is taken by another process`, {
      field: 'PORT',
      rule: 'a free port',
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    const message = `HOST ${host} with PORT ${port} cannot be listened on`;
    return new AiRouterError('invalid_setting', message, {
      field: 'HOST',
      rule: 'an address of this machine',
      cause: error,
    });
  }
  return error;
}
