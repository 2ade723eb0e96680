import { AppendLane, type LaneProducer } from './kafka-append-lane.js';
import { openKafka } from './kafka-client.js';
import type { KafkaConnection } from './kafka-connection.js';
import type { KafkaSources } from './kafka-sources.js';
import type { NewRecord, TopicPartition } from './port.js';

export interface KafkaAppend {
  append(topic: string, partition: number, records: readonly NewRecord[]): Promise<number>;
  /** Lanes of a topic that is removed. */
  forget(topics: readonly string[]): void;
  close(): void;
}

export interface KafkaAppendOptions {
  connection: KafkaConnection;
  sources: KafkaSources;
  deadlineMs: number;
}

/** Brokers forget a producer after a day by default: one that rests is ended long before. */
const IDLE_MS = 60_000;
/** The broker gives up waiting for copies before the client gives up waiting for the broker. */
const BROKER_MARGIN_MS = 5_000;

/**
 * A lane and a producer for each partition that is written: a broker that hangs holds up its own
 * partitions alone, and a producer that must end takes no other partition's send with it. It costs
 * two or three connections a partition.
 */
export function kafkaAppend(options: KafkaAppendOptions): KafkaAppend {
  const lanes = new Map<string, { topic: string; lane: AppendLane }>();
  const resting = setInterval(() => {
    for (const { lane } of lanes.values()) lane.rest(IDLE_MS);
  }, IDLE_MS / 4).unref();

  function laneOf(place: TopicPartition): AppendLane {
    const key = `${place.topic}/${place.partition}`;
    const known = lanes.get(key);
    if (known !== undefined) return known.lane;
    const { deadlineMs } = options;
    const lane = new AppendLane({ place, deadlineMs, open: () => openProducer(options, place) });
    lanes.set(key, { topic: place.topic, lane });
    return lane;
  }

  function remove(isRemoved: (topic: string) => boolean): void {
    for (const [key, { topic, lane }] of lanes) {
      if (!isRemoved(topic)) continue;
      lane.close();
      lanes.delete(key);
    }
  }

  return {
    async append(topic, partition, records) {
      const place = { topic, partition };
      if (records.length === 0) return (await options.sources.bounds(place)).end;
      return laneOf(place).append(records);
    },
    forget(topics) {
      remove((topic) => topics.includes(topic));
    },
    close() {
      clearInterval(resting);
      remove(() => true);
    },
  };
}

async function openProducer(
  { connection, sources }: KafkaAppendOptions,
  place: TopicPartition,
): Promise<LaneProducer> {
  // kafkajs would try without end to send to a topic that does not exist, and acknowledge what it
  // did not send to a partition that does not.
  await sources.check(place);
  const { kafka, end } = openKafka(connection);
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    metadataMaxAge: 60_000,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? place.partition,
    // The same bytes with the same numbers: the broker knows a repeat. The lane's deadline ends it.
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: Number.MAX_SAFE_INTEGER },
  });
  try {
    await producer.connect();
  } catch (error) {
    end();
    throw error;
  }
  const timeout = Math.max(1_000, connection.requestTimeoutMs - BROKER_MARGIN_MS);
  return {
    send: (topic, messages) => producer.send({ topic, messages, acks: -1, timeout }),
    end,
  };
}
