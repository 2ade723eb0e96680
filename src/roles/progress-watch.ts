import type { PartitionReport } from '../log/partition-report.js';
import type { ConsumerHandlers, LogAdmin, TopicPartition } from '../log/port.js';
import type { Metrics } from '../observe/metrics.js';

export interface ProgressWatchOptions {
  log: Pick<LogAdmin, 'bounds'>;
  metrics: Metrics;
  /** Without a sign of life for so long, a partition that is behind is stuck. */
  watchdogMs: number;
  /** Monotonic. */
  nowMs?: () => number;
}

interface Watched {
  place: TopicPartition;
  offsetNext: number;
  aliveAtMs: number;
  /** It waits for a person, who was told. */
  isStopped: boolean;
}

/**
 * Watches a consumer from outside: what it was given and has brought to its end, against where the
 * log ends. A client that looks healthy and delivers nothing is found by that alone.
 *
 * Signs of life are a batch that was handled, an assignment that was answered, and trouble that was
 * reported: who tries again, or waits for a person, is not stuck.
 */
export class ProgressWatch {
  readonly #options: ProgressWatchOptions;
  readonly #nowMs: () => number;
  readonly #partitions = new Map<string, Watched>();
  #stuck: readonly TopicPartition[] = [];

  constructor(options: ProgressWatchOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Partitions that are behind and without a sign of life, as the last look found. */
  get stuck(): readonly TopicPartition[] {
    return this.#stuck;
  }

  /** The same handlers, watched. */
  watched(handlers: ConsumerHandlers): ConsumerHandlers {
    return {
      assigned: async (place) => {
        const partition = this.#add(place);
        const offset = await handlers.assigned(place);
        this.#alive(partition, offset);
        return offset;
      },
      batch: async (batch) => {
        const partition = this.#add(batch);
        const offsetNext = await handlers.batch(batch);
        partition.isStopped = false;
        this.#alive(partition, offsetNext);
        return offsetNext;
      },
      revoked: (places) => {
        for (const place of places) this.#forget(place);
        handlers.revoked(places);
      },
    };
  }

  /** What the consumer says of its own trouble. */
  report(report: PartitionReport): void {
    if (report.partition === null) return;
    const partition = this.#partitions.get(nameOf(report.partition));
    if (partition === undefined) return;
    partition.isStopped = report.kind === 'stopped';
    partition.aliveAtMs = this.#nowMs();
    this.#countStopped();
  }

  /** Compares with the log, for the metrics too; rejects where the log cannot be asked. */
  async look(): Promise<void> {
    const { log, watchdogMs } = this.#options;
    const stuck: TopicPartition[] = [];
    for (const partition of [...this.#partitions.values()]) {
      const { topic, partition: number } = partition.place;
      // Before the log is asked: what is handled meanwhile is a sign of life.
      const lifelessMs = this.#nowMs() - partition.aliveAtMs;
      const { end } = await log.bounds(topic, number);
      const lag = Math.max(0, end - partition.offsetNext);
      if (!this.#partitions.has(nameOf(partition.place))) continue;
      this.#options.metrics.gauge('lagRecords').set({ topic, partition: number }, lag);
      if (lag === 0) partition.aliveAtMs = this.#nowMs();
      else if (lifelessMs > watchdogMs && !partition.isStopped) stuck.push(partition.place);
    }
    this.#stuck = stuck;
  }

  /** The consumer is another one: nothing is its own yet. */
  clear(): void {
    for (const { place } of [...this.#partitions.values()]) this.#forget(place);
    this.#stuck = [];
  }

  #add(place: TopicPartition): Watched {
    const known = this.#partitions.get(nameOf(place));
    if (known !== undefined) return known;
    const { topic, partition } = place;
    const added = {
      place: { topic, partition },
      offsetNext: 0,
      aliveAtMs: this.#nowMs(),
      isStopped: false,
    };
    this.#partitions.set(nameOf(place), added);
    return added;
  }

  #alive(partition: Watched, offsetNext: number): void {
    partition.offsetNext = offsetNext;
    partition.aliveAtMs = this.#nowMs();
    this.#countStopped();
  }

  #forget({ topic, partition }: TopicPartition): void {
    this.#partitions.delete(nameOf({ topic, partition }));
    this.#options.metrics.gauge('lagRecords').remove({ topic, partition });
    this.#countStopped();
  }

  #countStopped(): void {
    const stopped = [...this.#partitions.values()].filter(({ isStopped }) => isStopped);
    this.#options.metrics.gauge('stoppedPartitions').set(stopped.length);
  }
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
