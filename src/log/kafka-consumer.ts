import { AiRouterError } from '../errors.js';
import { claimOf } from './embedded-assignment.js';
import { openKafka } from './kafka-client.js';
import type { KafkaConnection } from './kafka-connection.js';
import { type GroupOffset, KafkaMembership } from './kafka-membership.js';
import type { KafkaPartition } from './kafka-partition.js';
import { readNext } from './kafka-read.js';
import type { KafkaSources } from './kafka-sources.js';
import { PartitionFeed } from './partition-feed.js';
import type { PartitionReport } from './partition-report.js';
import type { ConsumerHandlers, LogAdmin, LogConsumer, TopicPartition } from './port.js';
import { within } from './within.js';

export interface KafkaConsumerOptions {
  connection: KafkaConnection;
  sources: KafkaSources;
  partitions: LogAdmin['partitions'];
  group: string;
  topics: readonly string[];
  fetchBytesMax: number;
  sessionTimeoutMs: number;
  watchdogMs: number;
  report: (report: PartitionReport) => void;
}

/** How often the group's own offsets follow. */
const TELL_INTERVAL_MS = 2_000;
/** Longest wait for the group to take offsets that nobody here reads. */
const TELL_TIMEOUT_MS = 5_000;
/** The same when a process stops: with the goodbye it stays within the time that a stop has. */
const LAST_TELL_TIMEOUT_MS = 1_000;

/**
 * A member of a Kafka group. kafkajs knows which partitions are ours; a feed for each of them
 * fetches and delivers, independently of the others and of the group:
 *
 * - a partition that stays ours in a rebalance is not interrupted;
 * - a slow, stopped or unreadable one holds up no other;
 * - every batch is from the offset that was asked for, which `assigned` gave or the last batch.
 *
 * A member that was away for a while may still have a batch in flight when another one begins:
 * the checkpoint's compare-and-set lets one of them pass.
 */
export class KafkaConsumer implements LogConsumer {
  readonly #options: KafkaConsumerOptions;
  readonly #membership: KafkaMembership;
  #handlers: ConsumerHandlers | null = null;
  /** By claim, as all maps here: what the group says is ours. */
  #wanted = new Map<string, TopicPartition>();
  /** A feed that is being stopped is still here. */
  readonly #feeds = new Map<string, { feed: PartitionFeed; source: KafkaPartition }>();
  readonly #stopping = new Map<string, Promise<void>>();
  /** Delivered, and not yet told to the group. */
  readonly #untold = new Map<string, GroupOffset>();
  #telling: NodeJS.Timeout | undefined;
  #isClosing = false;
  #closed: Promise<void> | null = null;

  constructor(options: KafkaConsumerOptions) {
    this.#options = options;
    const { connection, group, topics, sessionTimeoutMs, watchdogMs, report } = options;
    this.#membership = new KafkaMembership({
      open: () => openKafka(connection),
      group,
      topics,
      sessionTimeoutMs,
      watchdogMs,
      onAssigned: (places) => this.#assign(places),
      onTrouble: (error, delayMs) => report({ kind: 'retrying', partition: null, error, delayMs }),
    });
  }

  async start(handlers: ConsumerHandlers): Promise<void> {
    const { topics, partitions } = this.#options;
    const found = await partitions(topics);
    const missing = topics.filter((topic) => !found.has(topic));
    if (missing.length > 0) {
      throw new AiRouterError('invalid_usage', `Topics do not exist: ${missing.join(', ')}.`);
    }
    this.#handlers = handlers;
    await this.#membership.start();
    this.#telling = setInterval(() => void this.#tell(), TELL_INTERVAL_MS);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#telling);
    await Promise.all([...this.#feeds.keys()].map((claim) => this.#stop(claim)));
    await this.#tell(LAST_TELL_TIMEOUT_MS);
    await this.#membership.close();
  }

  #assign(places: readonly TopicPartition[]): void {
    this.#wanted = new Map(places.map((place) => [claimOf(place), place]));
    for (const [claim, { feed }] of this.#feeds) {
      if (!this.#wanted.has(claim)) void this.#giveUp(claim, feed.partition);
    }
    for (const place of places) this.#take(place);
  }

  #take(place: TopicPartition): void {
    const claim = claimOf(place);
    if (this.#isClosing || this.#feeds.has(claim)) return;
    const { sources, fetchBytesMax, report } = this.#options;
    const source = sources.open(place);
    const feed = new PartitionFeed({
      partition: place,
      fetchBytesMax,
      report,
      handlers: this.#recording(this.#handlers!),
      read: (_topic, _partition, offset, maxBytes, signal) =>
        readNext(source, place, offset, maxBytes, signal),
    });
    this.#feeds.set(claim, { feed, source });
    feed.start();
  }

  /** Once the batch in flight is done; then it is taken again if it came back meanwhile. */
  async #giveUp(claim: string, place: TopicPartition): Promise<void> {
    if (this.#stopping.has(claim)) return;
    await this.#stop(claim);
    this.#untold.delete(claim);
    if (this.#isClosing) return;
    this.#handlers!.revoked([place]);
    const wanted = this.#wanted.get(claim);
    if (wanted !== undefined) this.#take(wanted);
  }

  #stop(claim: string): Promise<void> {
    const known = this.#stopping.get(claim);
    if (known !== undefined) return known;
    const { feed, source } = this.#feeds.get(claim)!;
    const done = feed.stop();
    // A fetch under way is not waited for, a batch is.
    source.close();
    const stopped = done.then(() => {
      this.#feeds.delete(claim);
      this.#stopping.delete(claim);
    });
    this.#stopping.set(claim, stopped);
    return stopped;
  }

  #recording(handlers: ConsumerHandlers): ConsumerHandlers {
    return {
      revoked: (places) => handlers.revoked(places),
      assigned: (place) => handlers.assigned(place),
      batch: async (batch) => {
        const offsetNext = await handlers.batch(batch);
        const { topic, partition } = batch;
        this.#untold.set(claimOf(batch), { topic, partition, offsetNext });
        return offsetNext;
      },
    };
  }

  async #tell(limitMs = TELL_TIMEOUT_MS): Promise<void> {
    const offsets = [...this.#untold.values()];
    if (offsets.length === 0) return;
    this.#untold.clear();
    // Nobody here reads them; what is missed is told with the next ones.
    await within(this.#membership.tell(offsets), limitMs, '').catch(() => {});
  }
}
