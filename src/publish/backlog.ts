import PQueue from 'p-queue';
import type { Batch } from './batch.js';
import type { Condition } from './condition.js';
import type { PartitionSpool } from './partition-spool.js';
import type { DropReason, PublisherStats } from './stats.js';

export interface BacklogOptions {
  spool: PartitionSpool | null;
  stats: PublisherStats;
  /** Holds while the spool cannot be written; one for all partitions. */
  unwritable: Condition;
}

/**
 * The batches of one partition that the log has not acknowledged, first in, first out: those in
 * the spool, then those in memory. To spill moves a prefix of the memory to the end of the spool,
 * so the order never changes, and the batch that is being sent may move while it is. `head`,
 * `remove` and each write of a spill take turns.
 */
export class Backlog {
  readonly #memory: Batch[] = [];
  readonly #spool: PartitionSpool | null;
  readonly #stats: PublisherStats;
  readonly #unwritable: Condition;
  readonly #turn = new PQueue({ concurrency: 1 });
  #spilling: Promise<void> | null = null;
  /** Batches that came, and those that left the memory: the latter are the first of the former. */
  #came = 0;
  #left = 0;
  #waiting: { came: number; resolve: () => void }[] = [];

  constructor(options: BacklogOptions) {
    this.#spool = options.spool;
    this.#stats = options.stats;
    this.#unwritable = options.unwritable;
  }

  get canSpill(): boolean {
    return this.#spool !== null;
  }

  /** True while batches wait on disk, so that newer ones have to follow them there. */
  get isSpilled(): boolean {
    return this.#spool !== null && !this.#spool.isEmpty;
  }

  push(batch: Batch): void {
    this.#memory.push(batch);
    this.#came += 1;
  }

  /** The oldest batch, which stays; null where there is none. Rejects where the disk fails. */
  async head(): Promise<Batch | null> {
    const spool = this.#spool;
    if (spool === null) return this.#memory[0] ?? null;
    return this.#turn.add(async () => (await spool.head()) ?? this.#memory[0] ?? null);
  }

  /** Takes away the oldest batch, which is this one: acknowledged, or lost for a reason. */
  async remove(batch: Batch, why: 'acknowledged' | DropReason): Promise<void> {
    if (this.#spool === null) this.#removeHead(batch, why);
    else await this.#turn.add(() => this.#removeHead(batch, why));
  }

  /** Moves to the spool what fits; resolves when the memory is empty or the spool takes no more. */
  spill(): Promise<void> {
    // With nothing to move it would be over before it is noted as going on, and go on for ever.
    if (this.#spool !== null && this.#memory.length > 0) {
      this.#spilling ??= this.#spillAll(this.#spool);
    }
    return this.#spilling ?? Promise.resolve();
  }

  /** Resolves once every batch that is in memory now has left it. */
  settled(): Promise<void> {
    if (this.#left === this.#came) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ came: this.#came, resolve }));
  }

  /** Gives up what is in memory. */
  abandon(): void {
    const lost = this.#memory.splice(0);
    this.#leaveMemory(lost);
    this.#stats.dropped.closed += outcomesOf(lost);
  }

  /** Closes the files, after what is being read or written. */
  async close(): Promise<void> {
    await this.#turn.add(async () => this.#spool?.close());
  }

  #removeHead(batch: Batch, why: 'acknowledged' | DropReason): void {
    if (this.isSpilled) {
      (this.#spool as PartitionSpool).remove(batch);
      if (batch.isRecovered) this.#stats.recovered += batch.outcomes;
      else this.#stats.inSpool -= batch.outcomes;
    } else {
      this.#leaveMemory(this.#memory.splice(0, 1));
    }
    if (why === 'acknowledged') this.#stats.acknowledged += batch.outcomes;
    else this.#stats.dropped[why] += batch.outcomes;
  }

  async #spillAll(spool: PartitionSpool): Promise<void> {
    try {
      // The condition and the end of the spill are one step, so no batch slips in between.
      while (this.#memory.length > 0) {
        if ((await this.#turn.add(() => this.#spillOnce(spool))) === 0) break;
      }
    } catch (error) {
      this.#stats.spoolErrors += 1;
      this.#unwritable.begin({ reason: String(error) });
    } finally {
      this.#spilling = null;
    }
  }

  async #spillOnce(spool: PartitionSpool): Promise<number> {
    const written = await spool.write(this.#memory);
    const moved = this.#memory.splice(0, written);
    this.#stats.spooled += outcomesOf(moved);
    this.#stats.inSpool += outcomesOf(moved);
    this.#leaveMemory(moved);
    this.#unwritable.end({});
    return written;
  }

  #leaveMemory(batches: readonly Batch[]): void {
    for (const batch of batches) {
      this.#stats.queued -= batch.outcomes;
      this.#stats.queuedBytes -= batch.value.length;
    }
    this.#left += batches.length;
    while ((this.#waiting[0]?.came ?? Number.POSITIVE_INFINITY) <= this.#left) {
      this.#waiting.shift()?.resolve();
    }
  }
}

function outcomesOf(batches: readonly Batch[]): number {
  return batches.reduce((sum, batch) => sum + batch.outcomes, 0);
}
