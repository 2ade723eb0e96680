import type { Pool } from 'pg';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import { AiRouterError } from '../errors.js';
import type { FoldSettings } from '../fold/context.js';
import { HIGH_LIFETIME_MS } from '../fold/publisher-highs.js';
import type { HotKeys } from '../hotkeys/port.js';
import { createRefresher, type HotSource, type Refresher } from '../hotkeys/refresher.js';
import { createDeadLetters } from '../log/dead-letters.js';
import type { PartitionReport } from '../log/partition-report.js';
import type { Log, TimestampType } from '../log/port.js';
import { foldedTopics, type Topics } from '../log/topics.js';
import { findUncommitted } from '../log/uncommitted-letters.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { createPipeline } from '../pipeline.js';
import { forgetHighs } from '../project/highs.js';
import { createHotSource } from '../project/hot-source.js';
import { createProjectionStore } from '../project/projection-store.js';
import { PROJECTION_VERSION, prepareProjection } from '../project/projection-version.js';
import { dropExpired } from '../project/retention.js';
import { rollUp } from '../project/rollup.js';
import { createCutOver, refuseEnded } from '../project/versions.js';
import { startBooks } from './books.js';
import { startWritingFigures } from './figures.js';
import { startFolding } from './folding.js';
import { announceSchemas, foldedSchemas } from './schemas.js';
import { createMissingTopics, sayWeaknesses } from './topics.js';

/** How often hours whose minutes changed are computed again, and retention is looked after. */
const UPKEEP_INTERVAL_MS = 30_000;
/** How often expired highs of publishers are deleted: their table is read for it as a whole. */
const FORGET_INTERVAL_MS = 3_600_000;

export interface ProjectorParts {
  config: Config;
  /** Of topics that are made here: a simulated log keeps its own times. */
  timestampType: TimestampType;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  log: Log;
  topics: Topics;
  pool: Pool;
  databaseUrl: string;
  schema: string;
  hotKeys: HotKeys;
  /** What consumers of the log say of their trouble. */
  onReport(listener: (report: PartitionReport) => void): void;
  /** Ends the process: it cannot go on. */
  fail(error: AiRouterError): void;
}

export interface Projector {
  refresher: Refresher;
  /** False while reading is behind and gives no sign of life. */
  isAlive(): boolean;
  /** Stops reading, finishes and commits what is under way, writes the hot keys. */
  close(): Promise<void>;
}

/** The `project` role: from the log to rows and hot keys. */
export async function startProjector(parts: ProjectorParts): Promise<Projector> {
  const { config, clock, logger, metrics, log, topics, pool, schema } = parts;
  const settings = foldSettingsOf(config);
  await createMissingTopics(log, topics, config, parts.timestampType);
  // A simulated log can be made again.
  if (parts.timestampType === 'LogAppendTime') await sayWeaknesses(log, topics, logger);
  await prepareProjection(parts.databaseUrl, pool, schema, settings, config.keysMax);
  await announceSchemas({ log, topics });
  const { schemas, lookUpSchemas, readSchemas } = await foldedSchemas({ log, topics }, config);
  const folded = foldedTopics(topics);
  const refresher = createRefresher({
    source: hotSourceOf(parts, folded),
    hotKeys: parts.hotKeys,
    clock,
    logger,
  });
  const newPipeline = () =>
    createPipeline({
      log,
      schemas,
      lookUpSchemas,
      store: createProjectionStore({ pool, schema, owner: `${process.pid}`, settings, topics }),
      parkDeadLetters: createDeadLetters(log, topics.deadLetters, PROJECTION_VERSION, {
        known: schemas,
      }),
      uncommittedLetters: findUncommitted(log, topics.deadLetters, PROJECTION_VERSION),
      refresher,
      metrics,
      settings,
      keysMax: config.keysMax,
    });
  const folding = await startFolding({
    log,
    metrics,
    logger,
    watchdogMs: config.watchdogMs,
    open: () => ({ consumer: log.consumer(schema, folded), handlers: newPipeline() }),
    fail: parts.fail,
  }).catch(async (error: unknown) => {
    await refresher.close();
    throw error;
  });
  parts.onReport(folding.report);
  const stopUpkeep = startUpkeep(parts, refresher);
  const stopBooks = startBooks({
    ...parts,
    readSchemas,
    minuteRetentionMs: settings.minuteRetentionMs,
    intervalMs: config.booksIntervalMs,
  });
  const stopFigures = startWritingFigures(parts);
  return {
    refresher,
    isAlive: folding.isAlive,
    async close() {
      await folding.close();
      await stopBooks();
      await stopUpkeep();
      await stopFigures();
      await refresher.close();
    },
  };
}

/** Of the version that is folded here, which may be one of several. */
function hotSourceOf(parts: ProjectorParts, topics: readonly string[]): HotSource {
  const { pool, schema, logger } = parts;
  const inForce = createCutOver({
    pool,
    schema,
    topics,
    onCutOver: (from, to) =>
      logger.info({ from: from.schema, to: to.schema }, 'This projection version is in force now.'),
  });
  const source = createHotSource(pool, schema, PROJECTION_VERSION, topics, inForce);
  /** Where the rows cannot be read, they may have been ended: then nothing is left to be done here. */
  const orFail = async <T>(reading: Promise<T>): Promise<T> => {
    try {
      return await reading;
    } catch (error) {
      await refuseEnded(pool, schema).catch((ended: unknown) => {
        if (ended instanceof AiRouterError && ended.code === 'schema_newer') parts.fail(ended);
      });
      throw error;
    }
  };
  return {
    ...source,
    health: () => orFail(source.health()),
    metrics: (since) => orFail(source.metrics(since)),
  };
}

export function foldSettingsOf(config: Config): FoldSettings {
  return {
    tickRetentionMs: config.tickRetentionMinutes * 60_000,
    minuteRetentionMs: config.minuteRetentionDays * 86_400_000,
  };
}

/** What nobody waits for: hour and day rows, and ranges that every partition has left behind. */
function startUpkeep(
  { pool, schema, topics, logger }: ProjectorParts,
  refresher: Refresher,
): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve();
  let isFailing = false;
  let forgotMs = Number.NEGATIVE_INFINITY;
  const upkeep = async (): Promise<void> => {
    try {
      if ((await rollUp(pool, schema)) > 0) refresher.notify({ caughtUp: true });
      const dropped = await dropExpired(pool, schema, topics);
      if (dropped.length > 0) logger.info({ dropped }, 'Expired time ranges were dropped.');
      if (performance.now() - forgotMs >= FORGET_INTERVAL_MS) {
        await forgetHighs(pool, schema, HIGH_LIFETIME_MS);
        forgotMs = performance.now();
      }
      isFailing = false;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!isFailing) logger.warn({ reason }, 'Hour and day rows and retention wait.');
      isFailing = true;
    }
  };
  const timer = setInterval(() => {
    running = upkeep();
  }, UPKEEP_INTERVAL_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
