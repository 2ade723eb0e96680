import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import { wallClock } from '../../src/clock.js';
import { type Config, loadConfig } from '../../src/config.js';
import { migrate } from '../../src/database/migrate.js';
import type { AiRouterError } from '../../src/errors.js';
import { assembleBatch, encodeOutcomeBody } from '../../src/event/encode.js';
import type { RequestOutcome, Uuid } from '../../src/event/outcome.js';
import { createMemoryHotKeys } from '../../src/hotkeys/memory-hot-keys.js';
import type { HotKeys } from '../../src/hotkeys/port.js';
import { createEmbeddedLog } from '../../src/log/embedded-log.js';
import type { PartitionReport } from '../../src/log/partition-report.js';
import type { Log } from '../../src/log/port.js';
import { foldedTopics, type Topics, topicSpecs, topicsOf } from '../../src/log/topics.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { packageRoot } from '../../src/package-root.js';
import { projectionSchema } from '../../src/project/projection-version.js';
import { closeBooks, type PartitionBooks } from '../../src/replay/books.js';
import { projectionChecksum } from '../../src/replay/checksum.js';
import { type Projector, startProjector } from '../../src/roles/project.js';
import { storedSchemas } from '../../src/roles/schemas.js';
import type { TestDatabase } from '../postgres.js';

/** A log of its own on the test's database, and projections of it. */
export interface TestWorld {
  log: Log;
  topics: Topics;
  config: Config;
  /** Of the embedded log; empty where another one was given. */
  logSchema: string;
  /** What consumers of the embedded log said of their trouble. */
  reports: readonly PartitionReport[];
  /** Another projection of the same log, in a schema and consumer group of its own. */
  projection(
    settings?: Partial<Config>,
    through?: WayToDatabase,
    place?: ProjectionPlace,
  ): TestProjection;
  close(): Promise<void>;
}

/** Of a projector, where it is not the test's own. */
export type WayToDatabase = Pick<TestDatabase, 'pool' | 'databaseUrl'>;

/** Where a projection stands that is not by itself: the test drops the schema. */
export interface ProjectionPlace {
  schema: string;
  hotKeys: HotKeys;
  fail(error: AiRouterError): void;
}

export interface TestProjection {
  schema: string;
  hotKeys: HotKeys;
  /** One more projector of this projection. */
  start(): Promise<Projector>;
  /** Resolves when every folded record is committed. */
  caughtUp(): Promise<void>;
  checksum(): Promise<string>;
  books(): Promise<PartitionBooks[]>;
}

const logger = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

/** On the embedded log, where no other one is given. */
export async function testWorld(
  database: TestDatabase,
  { partitions = 3, ...given }: { partitions?: number; log?: Log } = {},
): Promise<TestWorld> {
  const namespace = `t${randomBytes(4).toString('hex')}`;
  const topics = topicsOf(namespace);
  const config = loadConfig({
    AIROUTER_NAMESPACE: namespace,
    AIROUTER_PARTITIONS: String(partitions),
  });
  const reports: PartitionReport[] = [];
  const logSchema = given.log === undefined ? database.schema('log') : '';
  const log = given.log ?? (await embeddedLog(database, logSchema, reports));
  await log.createTopics(topicSpecs(topics, config.partitions, 'CreateTime'));
  const projectors = new Set<Projector>();
  return {
    log,
    topics,
    config,
    logSchema,
    reports,
    projection(settings = {}, through: WayToDatabase = database, place?: ProjectionPlace) {
      const schema = place?.schema ?? database.schema(projectionSchema(namespace));
      const hotKeys = place?.hotKeys ?? createMemoryHotKeys();
      const { pool } = database;
      return {
        schema,
        hotKeys,
        async start() {
          const projector = await startProjector({
            config: { ...config, ...settings },
            timestampType: 'CreateTime',
            clock: wallClock,
            logger,
            metrics: createMetrics(),
            log,
            topics,
            pool: through.pool,
            databaseUrl: through.databaseUrl,
            schema,
            hotKeys,
            onReport: () => {},
            fail:
              place?.fail ??
              ((error) => {
                throw error;
              }),
          });
          projectors.add(projector);
          return projector;
        },
        caughtUp: () => caughtUp(database, log, foldedTopics(topics), schema),
        checksum: () => projectionChecksum(pool, schema, topics),
        books: () =>
          closeBooks({
            pool,
            schema,
            log,
            readSchemas: () => storedSchemas({ log, topics }),
            topic: topics.outcomes,
            table: { name: 'outcome_minute', events: 'events' },
            minuteRetentionMs: config.minuteRetentionDays * 86_400_000,
          }),
      };
    },
    async close() {
      await Promise.all([...projectors].map((projector) => projector.close()));
      await log.close();
    },
  };
}

async function embeddedLog(
  { pool, databaseUrl }: TestDatabase,
  logSchema: string,
  reports: PartitionReport[],
): Promise<Log> {
  await migrate(databaseUrl, {
    schema: logSchema,
    folder: join(packageRoot, 'schemas', 'postgres', 'log'),
  });
  return createEmbeddedLog({
    pool,
    schema: logSchema,
    report: (report) => {
      reports.push(report);
      logger.warn(report, 'a partition is in trouble');
    },
  });
}

async function caughtUp(
  database: TestDatabase,
  log: Log,
  topics: string[],
  schema: string,
): Promise<void> {
  const partitions = await log.partitions(topics);
  for (const [topic, count] of partitions) {
    for (let partition = 0; partition < count; partition++) {
      const { end } = await log.bounds(topic, partition);
      for (;;) {
        const { rows } = await database.pool.query<{ offset_next: number }>(
          `select offset_next from "${schema}".projection_checkpoint
           where topic = $1 and partition = $2`,
          [topic, partition],
        );
        if (end === 0 || (rows[0]?.offset_next ?? 0) >= end) break;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }
}

/** Appends a batch as a publisher would. */
export function appendBatch(
  world: TestWorld,
  partition: number,
  publisher: Uuid,
  sequence: number,
  outcomes: readonly RequestOutcome[],
  timestampMs: number,
): Promise<number> {
  const { value, headers } = assembleBatch(publisher, sequence, outcomes.map(encodeOutcomeBody));
  return world.log.append(world.topics.outcomes, partition, [
    { key: null, value, headers, timestampMs },
  ]);
}
