import type { Pool } from 'pg';
import { embeddedAppend } from './embedded-append.js';
import { EmbeddedConsumer } from './embedded-consumer.js';
import { logDatabase } from './embedded-database.js';
import { embeddedRead } from './embedded-read.js';
import { embeddedTopics } from './embedded-topics.js';
import { OpenConsumers } from './open-consumers.js';
import type { PartitionReport } from './partition-report.js';
import type { Log } from './port.js';

export interface EmbeddedLogOptions {
  /** The caller's to close, after the log. */
  pool: Pool;
  /** Migrated by schemas/postgres/log. */
  schema: string;
  /** How soon records of other processes are seen; those of this one are seen at once. */
  pollIntervalMs?: number;
  /** Of one batch that a consumer is handed. */
  fetchBytesMax?: number;
  report?: (report: PartitionReport) => void;
}

/** One statement for all partitions, half a millisecond: forty a second are a fiftieth of a core. */
const POLL_INTERVAL_MS = 25;
/** Of one fetch, where no setting says otherwise. */
const FETCH_BYTES_MAX = 1_048_576;

/** Schema of the embedded log of a namespace. */
export function logSchema(namespace: string): string {
  return namespace === '' ? 'airouter_log' : `${namespace}_airouter_log`;
}

/**
 * The log in Postgres tables: durable, with offsets, groups and times as Kafka has them. An append
 * is acknowledged when its transaction is on disk.
 */
export function createEmbeddedLog(options: EmbeddedLogOptions): Log {
  const {
    pollIntervalMs = POLL_INTERVAL_MS,
    fetchBytesMax = FETCH_BYTES_MAX,
    report = () => {},
  } = options;
  const database = logDatabase(options.pool, options.schema);
  const topics = embeddedTopics(database);
  const append = embeddedAppend(database, topics);
  const read = embeddedRead(database, topics);
  const consumers = new OpenConsumers<EmbeddedConsumer>();

  return {
    createTopics: topics.createTopics,
    deleteTopics: topics.deleteTopics,
    partitions: topics.partitions,
    bounds: topics.bounds,
    offsetForTime: topics.offsetForTime,
    weaknesses: topics.weaknesses,
    read,
    async append(topic, partition, records) {
      const offset = await append(topic, partition, records);
      for (const consumer of consumers) consumer.wake(topic, partition);
      return offset;
    },
    consumer(group, topicNames) {
      const consumer = new EmbeddedConsumer({
        database,
        log: { read, partitions: topics.partitions },
        group,
        topics: topicNames,
        fetchBytesMax,
        pollIntervalMs,
        report,
      });
      return consumers.add(consumer);
    },
    close: () => consumers.close(),
  };
}
