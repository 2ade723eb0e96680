import type { ISocketFactory } from 'kafkajs';
import type { Logger } from '../observe/logger.js';
import { kafkaAppend } from './kafka-append.js';
import type { KafkaConnection } from './kafka-connection.js';
import { KafkaConsumer } from './kafka-consumer.js';
import { readOnce } from './kafka-read.js';
import { kafkaSources } from './kafka-sources.js';
import { kafkaTopics } from './kafka-topics.js';
import { OpenConsumers } from './open-consumers.js';
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

/** Of one fetch, where no setting says otherwise. */
const FETCH_BYTES_MAX = 1_048_576;
/** Longest wait for a broker to write a record and have its copies made. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longest wait for what a broker only looks up. */
const READ_TIMEOUT_MS = 10_000;
/** Three brokers that each hang for a read, or a write and the election of another leader. */
const GIVE_UP_AFTER_MS = 45_000;
/** As AIROUTER_SESSION_TIMEOUT_MS, for programs of others. */
const SESSION_TIMEOUT_MS = 15_000;
/** As AIROUTER_WATCHDOG_MS, for programs of others. */
const WATCHDOG_MS = 60_000;

/** The log in Kafka. An append is acknowledged when `min.insync.replicas` brokers hold it. */
export function createKafkaLog(options: KafkaLogOptions): Log {
  const {
    fetchBytesMax = FETCH_BYTES_MAX,
    giveUpAfterMs = GIVE_UP_AFTER_MS,
    report = () => {},
  } = options;
  const connection = connectionOf(options);
  const sources = kafkaSources(connection, {
    attemptTimeoutMs: options.readTimeoutMs ?? READ_TIMEOUT_MS,
    giveUpAfterMs,
  });
  const topics = kafkaTopics(connection, options.singleNode ?? false);
  const appending = kafkaAppend({ connection, sources, deadlineMs: giveUpAfterMs });
  const consumers = new OpenConsumers<KafkaConsumer>();

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
        sessionTimeoutMs: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
        watchdogMs: options.watchdogMs ?? WATCHDOG_MS,
        report,
      });
      return consumers.add(consumer);
    },
    async close() {
      await consumers.close();
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
    requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    logger: options.logger ?? null,
    ...(socketFactory === undefined ? {} : { socketFactory }),
  };
}
