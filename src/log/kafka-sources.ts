import { openCluster } from './kafka-client.js';
import type { KafkaConnection } from './kafka-connection.js';
import { KafkaPartition } from './kafka-partition.js';
import { boundsOf } from './kafka-read.js';
import type { Bounds, TopicPartition } from './port.js';

/** Connections to the partitions that are read or asked about, kept while they are in use. */
export interface KafkaSources {
  /** One more, for a reader that keeps it; `close` is the reader's. */
  open(place: TopicPartition): KafkaPartition;
  use<T>(place: TopicPartition, work: (source: KafkaPartition) => Promise<T>): Promise<T>;
  bounds(place: TopicPartition): Promise<Bounds>;
  /** `invalid_usage` where there is no such partition. */
  check(place: TopicPartition): Promise<void>;
  close(): void;
}

interface Shared {
  source: KafkaPartition;
  users: number;
  lastUsedMs: number;
}

/** A connection for single reads that nobody used for so long is closed. */
const IDLE_MS = 30_000;

export function kafkaSources(
  connection: KafkaConnection,
  timeouts: { attemptTimeoutMs: number; giveUpAfterMs: number },
): KafkaSources {
  const shared = new Map<string, Shared>();
  const resting = setInterval(() => closeIdle(shared), IDLE_MS / 4).unref();

  const open = (place: TopicPartition): KafkaPartition =>
    new KafkaPartition({
      place,
      open: () => openCluster(connection, timeouts.attemptTimeoutMs),
      ...timeouts,
    });

  async function use<T>(
    place: TopicPartition,
    work: (source: KafkaPartition) => Promise<T>,
  ): Promise<T> {
    const key = `${place.topic}/${place.partition}`;
    const entry = shared.get(key) ?? { source: open(place), users: 0, lastUsedMs: 0 };
    shared.set(key, entry);
    entry.users += 1;
    try {
      return await work(entry.source);
    } finally {
      entry.users -= 1;
      entry.lastUsedMs = performance.now();
    }
  }

  return {
    open,
    use,
    bounds: (place) => use(place, boundsOf),
    check: (place) => use(place, (source) => source.check()),
    close() {
      clearInterval(resting);
      for (const { source } of shared.values()) source.close();
      shared.clear();
    },
  };
}

function closeIdle(shared: Map<string, Shared>): void {
  for (const [key, { source, users, lastUsedMs }] of shared) {
    if (users > 0 || performance.now() - lastUsedMs < IDLE_MS) continue;
    source.close();
    shared.delete(key);
  }
}
