import { join } from 'node:path';
import type { Pool } from 'pg';
import { wallClock } from '../clock.js';
import type { CommandContext } from '../commands/context.js';
import type { Config } from '../config.js';
import { checkServer } from '../database/check-server.js';
import { createPool } from '../database/connect.js';
import { migrate } from '../database/migrate.js';
import { becomeOwner, findOwner, type Owner, type OwnerInfo } from '../database/owner.js';
import { AiRouterError } from '../errors.js';
import { createLoopbackHotKeys } from '../hotkeys/loopback-hot-keys.js';
import { createMemoryHotKeys } from '../hotkeys/memory-hot-keys.js';
import type { HotKeys } from '../hotkeys/port.js';
import { createEmbeddedLog, logSchema } from '../log/embedded-log.js';
import type { PartitionReport } from '../log/partition-report.js';
import type { Log } from '../log/port.js';
import { type Topics, topicsOf } from '../log/topics.js';
import type { Logger } from '../observe/logger.js';
import { packageRoot } from '../package-root.js';
import { projectionSchema } from '../project/projection-version.js';
import { openKafkaLog } from './kafka.js';
import { partitionLog } from './partition-log.js';
import { redisHotKeys } from './route.js';

/** The log and the projections, as the settings say: embedded or real, mixed freely. */
export interface Parts {
  config: Config;
  logger: Logger;
  databaseUrl: string;
  pool: Pool;
  log: Log;
  topics: Topics;
  /** Schema of the live projection. */
  schema: string;
  /** What consumers of the log say of their trouble. */
  onReport(listener: (report: PartitionReport) => void): void;
  /** This process owns the data folder; null where it attached, or nothing is embedded. */
  owner: Owner | null;
  /** The process that owns it, where this one attached. */
  attachedTo: OwnerInfo | null;
  close(): Promise<void>;
}

/**
 * - `own`: be the owner of the data folder; another owner is an error.
 * - `attach`: attach to its owner; none is an error, unless nothing here needs one.
 * - `any`: attach, or be the owner for as long as it takes.
 */
export type Access = 'own' | 'attach' | 'any';

export interface LogOptions {
  /** Topics that are made in Kafka may have one copy. */
  singleNode?: boolean;
}

export interface PartsOptions extends LogOptions {
  /** What is written can be made again: commits do not wait for the disk. */
  isDisposable?: boolean;
}

export async function openParts(
  context: CommandContext,
  access: Access,
  options: PartsOptions = {},
): Promise<Parts> {
  const { config, logger } = context;
  const folder = await openFolder(context, access);
  const databaseUrl =
    config.databaseUrl ?? folder.owner?.databaseUrl ?? folder.attachedTo!.databaseUrl;
  const pool = createPool(databaseUrl, {
    poolSize: config.databasePoolSize,
    poolOverflow: config.databasePoolOverflow,
    statementTimeoutMs: config.statementTimeoutMs,
    lockTimeoutMs: config.lockTimeoutMs,
    isDisposable: options.isDisposable ?? false,
    applicationName: 'airouter',
  });
  const release = async (): Promise<void> => {
    await pool.end();
    await folder.owner?.release();
  };
  try {
    await checkServer(pool, databaseUrl, config.statementTimeoutMs);
    const say = partitionLog(logger);
    const listeners: ((report: PartitionReport) => void)[] = [say];
    const report = (each: PartitionReport): void => {
      for (const listener of listeners) listener(each);
    };
    const log = await openLog(config, logger, databaseUrl, pool, report, options);
    return {
      config,
      logger,
      databaseUrl,
      pool,
      log,
      topics: topicsOf(config.namespace),
      schema: projectionSchema(config.namespace),
      onReport: (listener) => void listeners.push(listener),
      ...folder,
      async close() {
        await log.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Hot keys for a writer or a checker; `if-there` answers null where nobody holds them. */
export async function openHotKeys(
  parts: Parts,
  need: 'required' | 'if-there',
): Promise<HotKeys | null> {
  const { config, attachedTo } = parts;
  if (config.redisUrl !== null) return redisHotKeys(config, parts.logger);
  if (attachedTo !== null && attachedTo.port !== null) {
    const url = `http://127.0.0.1:${attachedTo.port}/internal/hotkeys`;
    return createLoopbackHotKeys({ url, token: attachedTo.token });
  }
  if (need === 'if-there') return null;
  if (parts.owner !== null) return createMemoryHotKeys(wallClock);
  throw new AiRouterError(
    'owner_required',
    'REDIS_URL is not set and no running AiRouter holds the hot keys: start `airouter all` first',
  );
}

async function openFolder(
  { config, progress, fail }: CommandContext,
  access: Access,
): Promise<Pick<Parts, 'owner' | 'attachedTo'>> {
  const { dataDir, databaseUrl, namespace } = config;
  const own = async () => ({
    owner: await becomeOwner({
      dataDir,
      databaseUrl,
      namespace,
      onProgress: progress,
      onLost: fail,
    }),
    attachedTo: null,
  });
  if (access === 'own') return own();
  const attachedTo = await findOwner(dataDir);
  if (attachedTo !== null && attachedTo.namespace === namespace) return { owner: null, attachedTo };
  // A real database needs nobody's folder; the embedded one of another namespace's owner does too.
  if (databaseUrl !== null) return { owner: null, attachedTo: null };
  if (attachedTo !== null) return { owner: null, attachedTo: { ...attachedTo, port: null } };
  if (access === 'any') return own();
  throw new AiRouterError(
    'owner_required',
    `DATABASE_URL is not set and nobody owns ${dataDir}: start \`airouter all\` first`,
  );
}

async function openLog(
  config: Config,
  logger: Logger,
  databaseUrl: string,
  pool: Pool,
  report: (report: PartitionReport) => void,
  options: LogOptions,
): Promise<Log> {
  const kafka = openKafkaLog({ config, logger, report, ...options });
  if (kafka !== null) return kafka;
  const schema = logSchema(config.namespace);
  await migrate(databaseUrl, { schema, folder: join(packageRoot, 'schemas', 'postgres', 'log') });
  return createEmbeddedLog({ pool, schema, fetchBytesMax: config.fetchBytesMax, report });
}
