import type { Pool } from 'pg';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import { schemas } from '../event/schemas.js';
import type { HotKeys } from '../hotkeys/port.js';
import { createRefresher, type Refresher } from '../hotkeys/refresher.js';
import { createDeadLetters } from '../log/dead-letters.js';
import type { Log } from '../log/port.js';
import { foldedTopics, type Topics, topicSpecs } from '../log/topics.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { createPipeline } from '../pipeline.js';
import { createHotSource } from '../project/hot-source.js';
import { createProjectionStore } from '../project/projection-store.js';
import { PROJECTION_VERSION, prepareProjection } from '../project/projection-version.js';
import { rollUp } from '../project/rollup.js';

/** How often hours whose minutes changed are computed again. */
const ROLLUP_INTERVAL_MS = 30_000;

export interface ProjectorParts {
  config: Config;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  log: Log;
  topics: Topics;
  pool: Pool;
  databaseUrl: string;
  schema: string;
  hotKeys: HotKeys;
}

export interface Projector {
  refresher: Refresher;
  /** Stops reading, finishes and commits what is under way, writes the hot keys. */
  close(): Promise<void>;
}

/** The `project` role: from the log to rows and hot keys. */
export async function startProjector(parts: ProjectorParts): Promise<Projector> {
  const { config, clock, logger, metrics, log, topics, pool, schema } = parts;
  const settings = {
    tickRetentionMs: config.tickRetentionMinutes * 60_000,
    minuteRetentionMs: config.minuteRetentionDays * 86_400_000,
  };
  await log.createTopics(topicSpecs(topics, config.partitions, 'LogAppendTime'));
  await prepareProjection(parts.databaseUrl, pool, schema, settings, config.keysMax);
  const folded = foldedTopics(topics);
  const refresher = createRefresher({
    source: createHotSource(pool, schema, PROJECTION_VERSION, folded),
    hotKeys: parts.hotKeys,
    clock,
    logger,
  });
  const consumer = log.consumer(schema, folded);
  await consumer.start(
    createPipeline({
      log,
      schemas,
      lookUpSchemas: async () => {},
      store: createProjectionStore({ pool, schema, owner: `${process.pid}`, settings, topics }),
      parkDeadLetters: createDeadLetters(log, topics.deadLetters, PROJECTION_VERSION),
      refresher,
      metrics,
      settings,
      keysMax: config.keysMax,
    }),
  );
  const stopRollup = startRollup(pool, schema, logger);
  return {
    refresher,
    async close() {
      await consumer.close();
      await stopRollup();
      await refresher.close();
    },
  };
}

function startRollup(pool: Pool, schema: string, logger: Logger): () => Promise<void> {
  let running: Promise<unknown> = Promise.resolve();
  let isFailing = false;
  const timer = setInterval(() => {
    running = rollUp(pool, schema).then(
      () => {
        isFailing = false;
      },
      (error: Error) => {
        if (!isFailing) logger.warn({ reason: error.message }, 'Hour and day rows wait.');
        isFailing = true;
      },
    );
  }, ROLLUP_INTERVAL_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
