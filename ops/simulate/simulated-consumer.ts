import { PartitionFeed } from '../../src/log/partition-feed.js';
import type { PartitionReport } from '../../src/log/partition-report.js';
import type { ConsumerHandlers, TopicPartition } from '../../src/log/port.js';
import { placeName } from './layout.js';
import type { Process, Scheduler } from './scheduler.js';
import type { LogConnection, SimulatedLog } from './simulated-log.js';

export interface ConsumerOptions {
  process: Process;
  scheduler: Scheduler;
  log: SimulatedLog;
  connection: LogConnection;
  handlers: ConsumerHandlers;
  report: (report: PartitionReport) => void;
}

const FETCH_BYTES_MAX = 1;

/**
 * A member of the group: feeds for the partitions that it was last told of. It hears of a change
 * when the scheduler says so, thus a partition may have an old and a new owner at once.
 */
export class SimulatedConsumer {
  readonly #options: ConsumerOptions;
  readonly #feeds = new Map<string, PartitionFeed>();
  readonly #stopping = new Set<string>();
  #wanted = new Map<string, TopicPartition>();
  readonly #stopListening: () => void;
  #isClosed = false;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#stopListening = options.log.listen((place) => this.#wakeLater(place));
  }

  assign(places: readonly TopicPartition[]): void {
    if (this.#isClosed) return;
    this.#wanted = new Map(places.map((place) => [placeName(place), place]));
    for (const [name, feed] of this.#feeds) {
      if (!this.#wanted.has(name)) this.#giveUp(name, feed);
    }
    for (const place of places) this.#take(place);
  }

  /** True while there is nothing to read, nothing under way and no pause. */
  get isIdle(): boolean {
    return this.#stopping.size === 0 && [...this.#feeds.values()].every((feed) => feed.isIdle);
  }

  /** Waits for the batches in flight. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wanted = new Map();
    await Promise.all([...this.#feeds.values()].map((feed) => feed.stop()));
  }

  /** Of a process that is gone: nothing reaches it any more. */
  forget(): void {
    this.#stopListening();
  }

  #take(place: TopicPartition): void {
    const name = placeName(place);
    if (this.#feeds.has(name)) return;
    const { connection, handlers, report } = this.#options;
    const feed = new PartitionFeed({
      partition: place,
      read: connection.read,
      fetchBytesMax: FETCH_BYTES_MAX,
      handlers,
      report,
    });
    this.#feeds.set(name, feed);
    feed.start();
  }

  /** Once the batch in flight is done; then it is taken again if it came back meanwhile. */
  #giveUp(name: string, feed: PartitionFeed): void {
    if (this.#stopping.has(name)) return;
    this.#stopping.add(name);
    void feed.stop().then(() => {
      this.#stopping.delete(name);
      this.#feeds.delete(name);
      this.#options.handlers.revoked([feed.partition]);
      const wanted = this.#wanted.get(name);
      if (wanted !== undefined) this.#take(wanted);
    });
  }

  #wakeLater({ topic, partition }: TopicPartition): void {
    const { process, scheduler, log } = this.#options;
    const place = placeName({ topic, partition });
    const text = `is woken for ${place}`;
    if (!this.#feeds.has(place) || scheduler.hasSignal(process, text)) return;
    scheduler.signal(process, text, () => {
      this.#feeds.get(place)?.wake(log.bounds(topic, partition).end);
    });
  }
}
