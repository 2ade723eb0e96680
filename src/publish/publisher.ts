import type { Backoff } from '../backoff.js';
import type { Clock } from '../clock.js';
import { encodeOutcomeBody } from '../event/encode.js';
import { offeringKey } from '../event/offering-key.js';
import type { RequestOutcome, Uuid } from '../event/outcome.js';
import { partitionOf } from '../event/partition.js';
import { brokenRuleOfOutcome } from '../event/rules.js';
import type { LogWriter } from '../log/port.js';
import { Assembler } from './assembler.js';
import { Backlog } from './backlog.js';
import type { PublisherLogger } from './condition.js';
import { type PublisherConditions, publisherConditions } from './conditions.js';
import { Lane } from './lane.js';
import { openSpool, type Spool } from './spool.js';
import { type DropReason, emptyStats, type PublisherStats } from './stats.js';
import { within } from './within.js';

/** The bound of the memory in bytes follows from the bound in outcomes: most take 100 to 300. */
const QUEUED_BYTES_PER_OUTCOME = 1024;
/** A record costs the log the same with one outcome or two hundred; above this nothing is saved. */
const BATCH_BYTES_MAX = 64 * 1024;

export interface PublisherOptions {
  log: LogWriter;
  topic: string;
  partitions: number;
  clock: Clock;
  /** Drawn once, at the start: a publisher's id is never used again. */
  publisherId: () => Uuid;
  /** How long an outcome waits for company; 0 = until `flush`, nothing is sent by itself. */
  lingerMs: number;
  /** Bytes of a batch at most (64 KiB); an outcome that is larger goes alone. */
  batchBytesMax?: number;
  /** Outcomes in memory at most, over all partitions; in bytes, 1 KiB for each. */
  queueMax: number;
  /** Null = no spool: while the log is away, the memory is all there is. */
  spoolDir: string | null;
  spoolBytesMax: number;
  retry: Backoff;
  logger?: PublisherLogger;
  /** Of [0, 1), for the jitter of retries. */
  random?: () => number;
}

/** What broke which rule; `field` is empty where the outcome as a whole did. */
export interface Refusal {
  field: string;
  rule: string;
}

interface Partition {
  assembler: Assembler;
  backlog: Backlog;
  lane: Lane;
}

const SILENT: PublisherLogger = { info: () => {}, warn: () => {}, error: () => {} };

/**
 * Writes outcomes to the log in batches, in the order of recording for each partition.
 *
 * An accepted outcome is encoded at once and held in memory until its batch is acknowledged, or is
 * durable in the spool. With a spool, the batches of a partition move there once an append was
 * rejected or takes longer than a second, or when half of the memory is used; newer batches of
 * that partition follow them there until the spool has been sent. A process that is killed loses
 * what was only in memory: no more than one linger and one append, while the log answers.
 *
 * @throws AiRouterError already_running: another publisher owns the spool folder
 * @throws AiRouterError invalid_setting: the spool folder cannot be used
 */
export function createPublisher(options: PublisherOptions): Publisher {
  return new Publisher(options);
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #logger: PublisherLogger;
  readonly #publisherId: Uuid;
  readonly #batchBytesMax: number;
  readonly #queuedBytesMax: number;
  readonly #stats = emptyStats();
  readonly #spool: Spool | null;
  readonly #partitions = new Map<number, Partition>();
  readonly #conditions: PublisherConditions;
  #linger: NodeJS.Timeout | null = null;
  #closing: Promise<void> | null = null;

  constructor(options: PublisherOptions) {
    const { topic, spoolDir, spoolBytesMax: bytesMax, logger = SILENT } = options;
    this.#options = options;
    this.#logger = logger;
    this.#publisherId = options.publisherId();
    if (this.#publisherId.length !== 16) throw new RangeError('a publisher id has 16 bytes');
    this.#batchBytesMax = options.batchBytesMax ?? BATCH_BYTES_MAX;
    this.#queuedBytesMax = Math.max(
      options.queueMax * QUEUED_BYTES_PER_OUTCOME,
      this.#batchBytesMax,
    );
    this.#conditions = publisherConditions(topic, logger);
    const { full } = this.#conditions;
    this.#spool =
      spoolDir === null
        ? null
        : openSpool({
            dir: spoolDir,
            topic,
            bytesMax,
            full,
            stats: this.#stats,
            logger,
          });
    for (const partition of this.#spool?.left ?? []) this.#partition(partition).lane.wake();
  }

  /**
   * Takes an outcome; the object may be changed afterwards. Never waits, never throws.
   * `dropped`: the memory is full (`stats().dropped` says why), or the publisher is closed.
   */
  record(outcome: RequestOutcome): 'accepted' | 'dropped' | Refusal {
    const reason = this.#reasonToDrop();
    if (reason !== null) return this.#drop(reason);
    const fit = this.#fit(outcome);
    if ('rule' in fit) return this.#refuse(fit);
    const { assembler, lane } = this.#partition(fit.partition);
    const isFull = assembler.add(fit.body);
    this.#stats.accepted += 1;
    if (this.#conditions.dropping.holds && !this.#isMemoryTight()) {
      this.#conditions.dropping.end({ dropped: { ...this.#stats.dropped } });
    }
    if (this.#options.lingerMs > 0) {
      if (isFull) lane.send(this.#isMemoryTight());
      this.#linger ??= setTimeout(() => this.#sendDue(), this.#options.lingerMs);
    }
    return 'accepted';
  }

  /** Sends what is held; resolves once all of it is acknowledged, in the spool, or counted as dropped. */
  async flush(): Promise<void> {
    this.#endLinger();
    for (const { lane } of this.#partitions.values()) lane.sendAll(this.#isMemoryTight());
    await Promise.all([...this.#partitions.values()].map(({ backlog }) => backlog.settled()));
  }

  /** A copy of the counters. */
  stats(): PublisherStats {
    const failing = [...this.#partitions.values()].filter(({ lane }) => lane.isFailing);
    return { ...structuredClone(this.#stats), partitionsFailing: failing.length };
  }

  /**
   * Sends what is held, for half of the deadline where there is a spool; moves the rest to the
   * spool; what is then still in memory is dropped and counted. Resolves within the deadline; a
   * disk that has not answered by then keeps the spool folder taken until it does.
   */
  close(deadline: { deadlineMs: number }): Promise<void> {
    this.#closing ??= this.#close(deadline.deadlineMs);
    return this.#closing;
  }

  #reasonToDrop(): DropReason | null {
    if (this.#closing !== null) return 'after_close';
    const { queued, queuedBytes } = this.#stats;
    if (queued < this.#options.queueMax && queuedBytes < this.#queuedBytesMax) return null;
    return this.#conditions.full.holds ? 'spool_full' : 'queue_full';
  }

  #drop(reason: DropReason): 'dropped' {
    this.#stats.dropped[reason] += 1;
    this.#conditions.dropping.begin({ reason });
    return 'dropped';
  }

  #fit(outcome: RequestOutcome): { body: Buffer; partition: number } | Refusal {
    try {
      const broken = brokenRuleOfOutcome(outcome);
      if (broken !== null) return broken;
      const body = encodeOutcomeBody(outcome);
      return { body, partition: partitionOf(offeringKey(outcome), this.#options.partitions) };
    } catch {
      // Not even an object, or one whose fields throw when they are read.
      return { field: '', rule: 'an outcome' };
    }
  }

  #refuse(broken: Refusal): Refusal {
    const rule = `${broken.field}: ${broken.rule}`;
    const before = this.#stats.refused[rule] ?? 0;
    this.#stats.refused[rule] = before + 1;
    if (before === 0) this.#logger.warn(broken, 'Outcomes that break a rule are refused.');
    return broken;
  }

  #isMemoryTight(): boolean {
    const { queued, queuedBytes } = this.#stats;
    return queued * 2 > this.#options.queueMax || queuedBytes * 2 > this.#queuedBytesMax;
  }

  #partition(number: number): Partition {
    const known = this.#partitions.get(number);
    if (known !== undefined) return known;
    const { random = Math.random } = this.#options;
    const stats = this.#stats;
    const logger = this.#logger;
    const spool = this.#spool?.partition(number) ?? null;
    const backlog = new Backlog({ spool, stats, unwritable: this.#conditions.unwritable });
    const assembler = new Assembler(this.#publisherId, this.#batchBytesMax, stats);
    const parts = { assembler, backlog, stats, logger, random };
    const lane = new Lane({ ...this.#options, partition: number, ...parts });
    const made = { assembler, backlog, lane };
    this.#partitions.set(number, made);
    return made;
  }

  #sendDue(): void {
    this.#endLinger();
    const nowMs = this.#options.clock.nowMs();
    for (const { assembler, lane } of this.#partitions.values()) {
      assembler.endLinger(nowMs);
      lane.send(this.#isMemoryTight());
    }
  }

  #endLinger(): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = null;
  }

  async #close(deadlineMs: number): Promise<void> {
    const startedMs = performance.now();
    await within(this.flush(), this.#spool === null ? deadlineMs : deadlineMs / 2);
    const partitions = [...this.#partitions.values()];
    for (const { lane } of partitions) lane.stop();
    const leftMs = () => deadlineMs - (performance.now() - startedMs);
    await within(Promise.all(partitions.map(({ backlog }) => backlog.spill())), leftMs());
    for (const { backlog } of partitions) backlog.abandon();
    await within(this.#closeSpool(), leftMs());
    const { acknowledged, inSpool, dropped } = this.#stats;
    const fields = { topic: this.#options.topic, acknowledged, inSpool, dropped: { ...dropped } };
    if (dropped.closed > 0) this.#logger.error(fields, 'The publisher closed and lost outcomes.');
    else this.#logger.info(fields, 'The publisher closed.');
  }

  async #closeSpool(): Promise<void> {
    await Promise.all([...this.#partitions.values()].map(({ backlog }) => backlog.close()));
    this.#spool?.release();
  }
}
