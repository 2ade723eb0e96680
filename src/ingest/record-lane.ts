import { type Backoff, backOff } from '../backoff.js';
import { type AiRouterError, asAiRouterError } from '../errors.js';
import type { LogWriter, NewRecord } from '../log/port.js';
import type { Logger } from '../observe/logger.js';
import type { Entry, Packer } from './packer.js';

/** What one append carries at most: well below the megabyte that Kafka takes by default. */
export const APPEND_BYTES_MAX = 512 * 1024;

/** What became of the entries of one call. */
export type Settled = 'acknowledged' | AiRouterError;

/** The entries of one call for one partition. */
export interface Submission {
  readonly entries: readonly Entry[];
  readonly settle: (how: Settled) => void;
  /** Entries that are, or were, part of an append. */
  taken: number;
  acknowledged: number;
  isWithdrawn: boolean;
}

export interface RecordLaneOptions {
  log: LogWriter;
  topic: string;
  partition: number;
  packer: Packer;
  retry: Backoff;
  /** Of [0, 1), for the jitter of retries. */
  random: () => number;
  logger: Pick<Logger, 'info' | 'warn'>;
}

/** A run of entries of one submission. */
interface Part {
  submission: Submission;
  from: number;
  to: number;
}

/**
 * Appends to one partition, one append at a time: what comes while one is under way waits, and
 * goes with the next one, whoever sent it. So the number of appends does not follow the number of
 * calls, and an acknowledgement stands for exactly the entries of its call.
 *
 * An append that rejects may have been written. The same records are appended again until the log
 * acknowledges them, before anything else, even if nobody waits for them any more: only one append
 * is ever in doubt. What was withdrawn before it became part of one is never written.
 */
export class RecordLane {
  readonly #options: RecordLaneOptions;
  /** In order of coming; a set, so that one that is withdrawn costs nothing. */
  #waiting = new Set<Submission>();
  #appendBytesMax = APPEND_BYTES_MAX;
  #running: Promise<void> | null = null;
  #isFailing = false;
  readonly #stopping = new AbortController();

  constructor(options: RecordLaneOptions) {
    this.#options = options;
  }

  /** True from an append that rejects to one that does not. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  submit(entries: readonly Entry[], settle: (how: Settled) => void): Submission {
    const submission = { entries, settle, taken: 0, acknowledged: 0, isWithdrawn: false };
    this.#waiting.add(submission);
    this.#running ??= this.#run();
    return submission;
  }

  /** Nobody waits for it any more: what is not part of an append yet never will be. */
  withdraw(submission: Submission): void {
    submission.isWithdrawn = true;
    this.#waiting.delete(submission);
  }

  /** Resolves when nothing waits and nothing is in doubt. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Appends nothing more; what is in doubt stays so. */
  stop(): void {
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    // In a turn of its own, so that calls of the same turn share the first append.
    await Promise.resolve();
    for (let parts = this.#take(); parts.length > 0; parts = this.#take()) {
      await this.#write(parts);
      if (this.#isStopped) break;
    }
    this.#running = null;
  }

  #take(): Part[] {
    const parts: Part[] = [];
    let bytes = 0;
    for (const submission of this.#waiting) {
      const { entries } = submission;
      const from = submission.taken;
      while (submission.taken < entries.length) {
        const next = entries[submission.taken]!.value.length;
        if (bytes > 0 && bytes + next > this.#appendBytesMax) break;
        bytes += next;
        submission.taken += 1;
      }
      if (submission.taken > from) parts.push({ submission, from, to: submission.taken });
      if (submission.taken < entries.length) break;
      this.#waiting.delete(submission);
    }
    return parts;
  }

  async #write(parts: readonly Part[]): Promise<void> {
    const entries = parts.flatMap(({ submission, from, to }) => submission.entries.slice(from, to));
    const { packer, retry, random } = this.#options;
    const records = packer.pack(entries);
    for (let attempt = 0; !this.#isStopped; attempt += 1) {
      const error = await this.#append(records);
      if (error === null) return acknowledge(parts);
      if (error.code === 'record_too_large') return this.#refused(parts, entries, error);
      await backOff(attempt + 1, retry, this.#stopping.signal, random);
    }
  }

  async #append(records: readonly NewRecord[]): Promise<AiRouterError | null> {
    const { log, topic, partition, logger } = this.#options;
    try {
      await log.append(topic, partition, records);
    } catch (cause) {
      const error = asAiRouterError(cause);
      if (!this.#isFailing) {
        const fields = { topic, partition, reason: error.message };
        logger.warn(fields, 'The log does not take what was sent; it is appended again.');
      }
      this.#isFailing = true;
      return error;
    }
    if (this.#isFailing) logger.info({ topic, partition }, 'The log takes records again.');
    this.#isFailing = false;
    return null;
  }

  /** The log wrote nothing of it: smaller appends may pass; an entry alone is the caller's. */
  #refused(parts: readonly Part[], entries: readonly Entry[], error: AiRouterError): void {
    this.#isFailing = false;
    if (entries.length === 1) {
      parts[0]!.submission.settle(error);
      return;
    }
    const bytes = entries.reduce((sum, { value }) => sum + value.length, 0);
    this.#appendBytesMax = Math.max(1, Math.floor(bytes / 2));
    const again = parts.map(({ submission, from }) => {
      submission.taken = from;
      return submission;
    });
    const wanted = again.filter(({ isWithdrawn }) => !isWithdrawn);
    this.#waiting = new Set([...wanted, ...this.#waiting]);
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }
}

function acknowledge(parts: readonly Part[]): void {
  for (const { submission, from, to } of parts) {
    submission.acknowledged += to - from;
    if (submission.acknowledged === submission.entries.length) submission.settle('acknowledged');
  }
}
