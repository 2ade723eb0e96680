import type Cluster from 'kafkajs/src/cluster/index.js';
import type { Broker } from 'kafkajs/src/cluster/index.js';
import Batch from 'kafkajs/src/consumer/batch.js';
import fetchRequests from 'kafkajs/src/protocol/requests/fetch/index.js';
import { backOff, READ_RETRY } from '../backoff.js';
import { AiRouterError, ERRORS } from '../errors.js';
import { withCheckedBatches } from './kafka-batch-crc.js';
import type { OpenCluster } from './kafka-client.js';
import { asLogError, isUnknownTopic, kafkaCause } from './kafka-errors.js';
import { toRecord } from './kafka-records.js';
import type { LogRecord, TopicPartition } from './port.js';
import { within } from './within.js';

export interface Fetched {
  /** What a reader sees: without control records and aborted transactions. */
  records: LogRecord[];
  /** Where to fetch next; above the last record where invisible ones follow it. */
  offsetNext: number;
  highWatermark: number;
}

/** Kafka's words for the two ends of a partition. */
export const LATEST = -1;
export const EARLIEST = -2;

export interface KafkaPartitionOptions {
  place: TopicPartition;
  /** A client for this partition alone. */
  open(): OpenCluster;
  /** Of one try: connecting, finding the leader, one answer. */
  attemptTimeoutMs: number;
  /** After so long without success a request is given up. */
  giveUpAfterMs: number;
}

/**
 * From version 11 on, which kafkajs would choose, a broker that is the leader no more answers as a
 * follower: without an error, and without the newest records that are acknowledged.
 */
const fetchFromLeader = fetchRequests.protocol({ version: 10 });

/** A topic that was just made is not known to every broker at once. */
const UNKNOWN_TOPIC_PATIENCE_MS = 1_500;

/**
 * Reads one partition through connections of its own, so that neither a partition without a
 * leader nor a broker that hangs holds up another partition. After any failure it connects anew:
 * kafkajs' idea of the cluster is not mended but dropped.
 */
export class KafkaPartition {
  readonly #options: KafkaPartitionOptions;
  readonly #closing = new AbortController();
  #client: OpenCluster | null = null;
  #wasSeen = false;

  constructor(options: KafkaPartitionOptions) {
    this.#options = options;
  }

  /** `invalid_usage` where there is no such partition. */
  async check(): Promise<void> {
    await this.#request(async () => {});
  }

  /** Waits up to `maxWaitMs` for a record; `offset` outside of the log is `null`. */
  fetch(offset: number, maxBytes: number, maxWaitMs: number): Promise<Fetched | null> {
    const { topic, partition } = this.#options.place;
    return this.#request(async (leader) => {
      try {
        const { responses } = await leader.connectionPool.send(
          withCheckedBatches(
            fetchFromLeader({
              maxWaitTime: maxWaitMs,
              minBytes: 1,
              maxBytes,
              isolationLevel: 1,
              topics: [{ topic, partitions: [{ partition, fetchOffset: `${offset}`, maxBytes }] }],
            }),
          ),
        );
        return fetchedFrom(topic, offset, responses[0]!.partitions[0]!);
      } catch (error) {
        if (kafkaCause(error).type === 'OFFSET_OUT_OF_RANGE') return null;
        throw error;
      }
    });
  }

  /** Of the first record at or after a time in ms, or of an end; null where there is none. */
  offsetAt(timestamp: number): Promise<number | null> {
    const { topic, partition } = this.#options.place;
    return this.#request(async (leader) => {
      const { responses } = await leader.listOffsets({
        isolationLevel: 0,
        topics: [{ topic, partitions: [{ partition, timestamp }] }],
      });
      const offset = Number(responses[0]!.partitions[0]!.offset);
      return offset < 0 ? null : offset;
    });
  }

  /** Ends what is under way; it rejects. */
  close(): void {
    this.#closing.abort();
    this.#disconnect();
  }

  /** Tries until it succeeds, is closed, or `giveUpAfterMs` have passed. */
  async #request<T>(ask: (leader: Broker) => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    for (let failures = 1; ; failures += 1) {
      try {
        this.#closing.signal.throwIfAborted();
        return await this.#attempt(ask);
      } catch (error) {
        this.#disconnect();
        const spentMs = performance.now() - startedMs;
        if (this.#closing.signal.aborted || this.#isFinal(error, spentMs)) {
          throw this.#explained(error);
        }
        await backOff(failures, READ_RETRY, this.#closing.signal);
      }
    }
  }

  #attempt<T>(ask: (leader: Broker) => Promise<T>): Promise<T> {
    this.#client ??= this.#options.open();
    const { cluster } = this.#client;
    const answer = this.#leader(cluster).then(ask);
    return within(answer, this.#options.attemptTimeoutMs, 'no answer in time');
  }

  async #leader(cluster: Cluster): Promise<Broker> {
    const { topic, partition } = this.#options.place;
    await cluster.connect();
    await cluster.addMultipleTargetTopics([topic]);
    await cluster.refreshMetadataIfNecessary();
    const partitions = cluster.findTopicPartitionMetadata(topic);
    this.#wasSeen = true;
    const found = partitions.find(({ partitionId }) => partitionId === partition);
    if (found !== undefined) return cluster.findBroker({ nodeId: found.leader });
    throw new AiRouterError(
      'invalid_usage',
      `Topic ${topic} has ${partitions.length} partitions, and no number ${partition}.`,
    );
  }

  #isFinal(error: unknown, spentMs: number): boolean {
    if (spentMs > this.#options.giveUpAfterMs) return true;
    if (isUnknownTopic(error)) return !this.#wasSeen && spentMs > UNKNOWN_TOPIC_PATIENCE_MS;
    return ERRORS[asLogError(error, '').code].action !== 'retry';
  }

  #explained(error: unknown): AiRouterError {
    const { topic, partition } = this.#options.place;
    if (isUnknownTopic(error) && !this.#wasSeen) {
      return new AiRouterError('invalid_usage', `Topic ${topic} does not exist.`, { cause: error });
    }
    return asLogError(error, `${topic}/${partition} cannot be read`);
  }

  #disconnect(): void {
    this.#client?.end();
    this.#client = null;
  }
}

function fetchedFrom(
  topic: string,
  offset: number,
  data: ConstructorParameters<typeof Batch>[2],
): Fetched {
  const batch = new Batch(topic, `${offset}`, data);
  return {
    records: batch.messages.map(toRecord),
    offsetNext: batch.rawMessages.length === 0 ? offset : Number(batch.lastOffset()) + 1,
    highWatermark: Number(batch.highWatermark),
  };
}
