import { backoffMs, pause, READ_RETRY } from '../backoff.js';
import { AiRouterError } from '../errors.js';
import { claimOf } from './embedded-assignment.js';
import type { LogDatabase } from './embedded-database.js';
import { type EmbeddedGroup, joinGroup } from './embedded-group.js';
import { PartitionFeed } from './partition-feed.js';
import type { PartitionReport } from './partition-report.js';
import type { ConsumerHandlers, Log, LogConsumer, TopicPartition } from './port.js';

/** Six beats fit into the time after which a member is taken for dead. */
const BEAT_INTERVAL_MS = 500;

export interface ConsumerOptions {
  database: LogDatabase;
  log: Pick<Log, 'read' | 'partitions'>;
  group: string;
  topics: readonly string[];
  fetchBytesMax: number;
  pollIntervalMs: number;
  report: (report: PartitionReport) => void;
}

/**
 * A member of a group: two loops, one that beats (says that it lives, learns what to read) and one
 * that polls (wakes the feeds of partitions with new records), and a feed for each partition.
 *
 * A partition is claimed in one beat and started only when the next one confirms it: so two members
 * that come at the same moment do not both start it. It is given up when its batch in flight is done.
 */
export class EmbeddedConsumer implements LogConsumer {
  readonly #options: ConsumerOptions;
  readonly #closing = new AbortController();
  /** By claim. A feed that is being stopped keeps its claim until it is. */
  readonly #feeds = new Map<string, PartitionFeed>();
  readonly #stoppingFeeds = new Map<string, Promise<void>>();
  #group: EmbeddedGroup | null = null;
  #loops: Promise<unknown> = Promise.resolve();
  #closed: Promise<void> | null = null;

  constructor(options: ConsumerOptions) {
    this.#options = options;
  }

  async start(handlers: ConsumerHandlers): Promise<void> {
    const { database, group, topics, log } = this.#options;
    const partitions = await log.partitions(topics);
    const missing = topics.filter((topic) => !partitions.has(topic));
    if (missing.length > 0) {
      throw new AiRouterError('invalid_usage', `Topics do not exist: ${missing.join(', ')}.`);
    }
    this.#group = joinGroup(database, group, partitions);
    await this.#beat(this.#group, handlers);
    this.#loops = Promise.all([
      this.#repeat(BEAT_INTERVAL_MS, () => this.#beat(this.#group!, handlers)),
      this.#repeat(this.#options.pollIntervalMs, poll(database, topics, this.#feeds)),
    ]);
  }

  /** An append of this process: no need to wait for the poll. */
  wake(topic: string, partition: number): void {
    this.#feeds.get(claimOf({ topic, partition }))?.wake();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await this.#loops;
    await Promise.all([...this.#feeds.values()].map((feed) => feed.stop()));
    await Promise.all(this.#stoppingFeeds.values());
    // Where the log is away, the others find out by the time that we were last seen.
    await this.#group?.leave().catch(() => {});
  }

  async #beat(group: EmbeddedGroup, handlers: ConsumerHandlers): Promise<void> {
    const held = this.#claims();
    const wanted = await group.beat(held);
    const isWanted = new Set(wanted.map(claimOf));
    for (const partition of held) {
      if (!isWanted.has(claimOf(partition))) this.#giveUp(partition, group, handlers);
    }
    const gained = wanted.filter((partition) => !this.#feeds.has(claimOf(partition)));
    if (gained.length === 0 || this.#closing.signal.aborted) return;
    const confirmed = new Set((await group.beat([...held, ...gained])).map(claimOf));
    if (this.#closing.signal.aborted) return;
    for (const partition of gained) {
      if (confirmed.has(claimOf(partition))) this.#take(partition, handlers);
    }
  }

  #take(partition: TopicPartition, handlers: ConsumerHandlers): void {
    const { log, fetchBytesMax, report } = this.#options;
    const { read } = log;
    const feed = new PartitionFeed({ partition, read, fetchBytesMax, handlers, report });
    this.#feeds.set(claimOf(partition), feed);
    feed.start();
  }

  #giveUp(partition: TopicPartition, group: EmbeddedGroup, handlers: ConsumerHandlers): void {
    const claim = claimOf(partition);
    const feed = this.#feeds.get(claim);
    if (feed === undefined || this.#stoppingFeeds.has(claim)) return;
    const stopped = feed.stop().then(async () => {
      handlers.revoked([partition]);
      this.#feeds.delete(claim);
      // At once, for the next one waits for it; the regular beat repeats it if it fails.
      if (!this.#closing.signal.aborted) await group.beat(this.#claims()).catch(() => {});
      this.#stoppingFeeds.delete(claim);
    });
    this.#stoppingFeeds.set(claim, stopped);
  }

  #claims(): TopicPartition[] {
    return [...this.#feeds.values()].map((feed) => feed.partition);
  }

  /** Runs `step` until the consumer closes; while it fails, at growing intervals. */
  async #repeat(intervalMs: number, step: () => Promise<void>): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      const delayMs =
        failures === 0 ? intervalMs : Math.max(intervalMs, backoffMs(failures, READ_RETRY));
      await pause(delayMs, signal);
      if (signal.aborted) return;
      try {
        await step();
        failures = 0;
      } catch (error) {
        failures += 1;
        const { report } = this.#options;
        report({
          kind: 'retrying',
          partition: null,
          error,
          delayMs: backoffMs(failures, READ_RETRY),
        });
      }
    }
  }
}

/** One statement for all partitions, and none while every feed is at work. */
function poll(
  database: LogDatabase,
  topics: readonly string[],
  feeds: ReadonlyMap<string, PartitionFeed>,
): () => Promise<void> {
  const statement = database.statement(
    'poll',
    `select topic, partition, next_offset
       from ${database.table('log_partition')} join ${database.table('log_topic')} using (topic_id)
      where topic = any($1)`,
  );
  return async () => {
    if (![...feeds.values()].some((feed) => feed.isIdle)) return;
    const rows = await database.query<TopicPartition & { next_offset: number }>(statement, [
      topics,
    ]);
    for (const row of rows) feeds.get(claimOf(row))?.wake(row.next_offset);
  };
}
