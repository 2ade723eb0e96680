import type { ISocketFactory } from 'kafkajs';
import type { Logger } from '../observe/logger.js';
import { kafkaAppend } from './kafka-append.js';
import type { KafkaConnection } from './kafka-connection.js';
import { KafkaConsumer } from './kafka-consumer.js';
import { readOnce } from './kafka-read.js';
import { kafkaSources } from './kafka-sources.js';
import { kafkaTopics } from './kafka-topics.js';
import type { PartitionReport } from './partition-report.js';
import type { Log } from './port.js';

export interface KafkaLogOptions {
  /** host:port */
  brokers: readonly string[];
  /** TLS, with the system's certificates. */
  ssl?: boolean;
  sasl?: KafkaConnection['sasl'];
  /** Seen in the brokers' logs and quotas. */
  clientId?: string;
  /** Of one batch that a consumer is handed; a broker hands over at least one whole append. */
  fetchBytesMax?: number;
  /** Topics that are made have one copy, and an acknowledgement is one machine's page cache. */
  singleNode?: boolean;
  /** A member that does not beat for so long loses its partitions; brokers allow 6 s and more. */
  sessionTimeoutMs?: number;
  /** A consumer that has no beat for so long, and a session longer in a join, joins anew. */
  watchdogMs?: number;
  /** Longest wait for the answer to a write, copies included. */
  requestTimeoutMs?: number;
  /** Longest wait for the answer to a read, which waits for nobody. */
  readTimeoutMs?: number;
  /** A read or a write without success for so long rejects; the caller then tries again. */
  giveUpAfterMs?: number;
  report?: (report: PartitionReport) => void;
  logger?: Pick<Logger, 'debug' | 'warn'>;
  /** Sockets through a proxy, for example. */
  socketFactory?: ISocketFactory;
}

/** The log in Kafka. An append is acknowledged when `min.insync.replicas` brokers hold it. */
export function createKafkaLog(options: KafkaLogOptions): Log {
  const { fetchBytesMax = 1_048_576, giveUpAfterMs = 45_000, report = () => {} } = options;
  const connection = connectionOf(options);
  const sources = kafkaSources(connection, {
    attemptTimeoutMs: options.readTimeoutMs ?? 10_000,
    giveUpAfterMs,
  });
  const topics = kafkaTopics(connection, options.singleNode ?? false);
  const appending = kafkaAppend({ connection, sources, deadlineMs: giveUpAfterMs });
  const consumers = new Set<KafkaConsumer>();

  return {
    createTopics: topics.createTopics,
    partitions: topics.partitions,
    weaknesses: topics.weaknesses,
    async deleteTopics(names) {
      await topics.deleteTopics(names);
      appending.forget(names);
    },
    bounds: (topic, partition) => sources.bounds({ topic, partition }),
    async offsetForTime(topic, partition, timestampMs) {
      const place = { topic, partition };
      const offset = await sources.use(place, (source) => source.offsetAt(timestampMs));
      return offset ?? (await sources.bounds(place)).end;
    },
    read(topic, partition, offset, maxBytes) {
      const place = { topic, partition };
      return sources.use(place, (source) => readOnce(source, place, offset, maxBytes));
    },
    append: appending.append,
    consumer(group, topicNames) {
      const consumer = new KafkaConsumer({
        connection,
        sources,
        partitions: topics.partitions,
        group,
        topics: topicNames,
        fetchBytesMax,
        sessionTimeoutMs: options.sessionTimeoutMs ?? 15_000,
        watchdogMs: options.watchdogMs ?? 60_000,
        report,
      });
      consumers.add(consumer);
      return {
        start: (handlers) => consumer.start(handlers),
        async close() {
          consumers.delete(consumer);
          await consumer.close();
        },
      };
    },
    async close() {
      await Promise.all([...consumers].map((consumer) => consumer.close()));
      consumers.clear();
      appending.close();
      sources.close();
    },
  };
}

function connectionOf(options: KafkaLogOptions): KafkaConnection {
  const { socketFactory } = options;
  return {
    brokers: options.brokers,
    clientId: options.clientId ?? 'airouter',
    ssl: options.ssl ?? false,
    sasl: options.sasl ?? null,
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
    logger: options.logger ?? null,
    ...(socketFactory === undefined ? {} : { socketFactory }),
  };
}
