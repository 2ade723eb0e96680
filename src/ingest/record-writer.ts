import { type Backoff, WRITE_RETRY } from '../backoff.js';
import { AiRouterError } from '../errors.js';
import type { Uuid } from '../event/outcome.js';
import type { LogWriter } from '../log/port.js';
import type { Logger } from '../observe/logger.js';
import { BatchPacker, type Entry, recordPacker } from './packer.js';
import { RecordLane, type Settled, type Submission } from './record-lane.js';

export interface RecordWriterOptions {
  log: LogWriter;
  /** The topic whose entries are bodies of outcomes, to be batched. */
  outcomesTopic: string;
  /** Drawn once, at the start: a publisher's id is never used again. */
  publisherId: () => Uuid;
  /** How long a call waits for the log. */
  acknowledgeMs: number;
  /** Of what waits for the log, over all partitions. */
  heldBytesMax: number;
  retry?: Backoff;
  random?: () => number;
  logger: Pick<Logger, 'info' | 'warn'>;
}

/** An entry with its place. */
export interface Placed extends Entry {
  topic: string;
  partition: number;
}

/**
 * Writes what calls bring, whole: `write` resolves once the log has acknowledged every entry.
 *
 * When it rejects with `log_unavailable`, some of the entries may be in the log, or reach it later;
 * the caller sends them all again, with the same ids. What is held for calls is bounded.
 */
export class RecordWriter {
  readonly #options: RecordWriterOptions;
  readonly #publisher: Uuid;
  readonly #lanes = new Map<string, RecordLane>();
  /** Of calls that wait. */
  readonly #giveUps = new Set<() => void>();
  #heldBytes = 0;
  #isClosed = false;
  #stopWaiting: NodeJS.Timeout | undefined;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
    this.#publisher = options.publisherId();
  }

  /** True where the last append to some partition rejected. */
  get isFailing(): boolean {
    return [...this.#lanes.values()].some(({ isFailing }) => isFailing);
  }

  /**
   * @throws AiRouterError log_unavailable: not acknowledged in time, or too much waits already
   * @throws AiRouterError record_too_large: the log takes no record of that size
   */
  async write(entries: readonly Placed[]): Promise<void> {
    const { heldBytesMax } = this.#options;
    const bytes = entries.reduce((sum, { value }) => sum + value.length, 0);
    if (this.#isClosed) throw stopping();
    if (this.#heldBytes + bytes > heldBytesMax) throw unavailable('too much waits for the log');
    this.#heldBytes += bytes;
    try {
      await this.#submit(entries);
    } finally {
      this.#heldBytes -= bytes;
    }
  }

  /**
   * The process stops: after so long calls wait no more, and are told to send the same again; so a
   * server that waits for its answers is done in time.
   */
  stopWaiting(afterMs: number): void {
    this.#stopWaiting ??= setTimeout(() => {
      this.#isClosed = true;
      for (const giveUp of this.#giveUps) giveUp();
    }, afterMs);
  }

  /** Waits for what is under way; what is then not acknowledged is in doubt. */
  async close({ deadlineMs }: { deadlineMs: number }): Promise<void> {
    clearTimeout(this.#stopWaiting);
    this.#isClosed = true;
    const lanes = [...this.#lanes.values()];
    let timer: NodeJS.Timeout | undefined;
    const elapsed = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([Promise.all(lanes.map((lane) => lane.idle())), elapsed]);
    clearTimeout(timer);
    for (const lane of lanes) lane.stop();
  }

  async #submit(entries: readonly Placed[]): Promise<void> {
    const byLane = new Map<RecordLane, Entry[]>();
    for (const { topic, partition, key, value } of entries) {
      const lane = this.#lane(topic, partition);
      const own = byLane.get(lane);
      if (own === undefined) byLane.set(lane, [{ key, value }]);
      else own.push({ key, value });
    }
    const submissions: [RecordLane, Submission][] = [];
    let timer: NodeJS.Timeout | undefined;
    let giveUp = (): void => {};
    try {
      await new Promise<void>((resolve, reject) => {
        giveUp = () => reject(stopping());
        this.#giveUps.add(giveUp);
        let left = byLane.size;
        if (left === 0) resolve();
        const settle = (how: Settled): void => {
          if (how === 'acknowledged') left -= 1;
          else reject(how);
          if (left === 0) resolve();
        };
        const { acknowledgeMs } = this.#options;
        timer = setTimeout(() => reject(unavailable('no answer in time')), acknowledgeMs);
        for (const [lane, own] of byLane) submissions.push([lane, lane.submit(own, settle)]);
      });
    } catch (error) {
      for (const [lane, submission] of submissions) lane.withdraw(submission);
      throw error;
    } finally {
      clearTimeout(timer);
      this.#giveUps.delete(giveUp);
    }
  }

  #lane(topic: string, partition: number): RecordLane {
    const name = `${topic}/${partition}`;
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const { log, outcomesTopic, random = Math.random, logger } = this.#options;
    const { retry = WRITE_RETRY } = this.#options;
    const packer = topic === outcomesTopic ? new BatchPacker(this.#publisher) : recordPacker;
    const lane = new RecordLane({ log, topic, partition, packer, retry, random, logger });
    this.#lanes.set(name, lane);
    return lane;
  }
}

const stopping = (): AiRouterError => unavailable('the process stops');

function unavailable(reason: string): AiRouterError {
  return new AiRouterError(
    'log_unavailable',
    `the log has not acknowledged it: ${reason}; send the same items again`,
  );
}
