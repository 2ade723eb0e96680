import { assembleBatch, batchOverheadBytes } from '../event/encode.js';
import type { Uuid } from '../event/outcome.js';
import type { Batch } from './batch.js';
import type { PublisherStats } from './stats.js';

/**
 * Collects the encoded outcomes of one partition, in the order of recording, and makes batches of
 * them, each as full as the bound allows. It gives the batches their sequence: from 1, by one.
 *
 * A batch is due once it cannot grow or its linger is over. Until it is taken it takes in what
 * comes, so batches grow while the log is slow.
 */
export class Assembler {
  readonly #publisher: Uuid;
  readonly #bodyBytesMax: number;
  readonly #stats: PublisherStats;
  /** Chunks of at most `bodyBytesMax`; only the last one may still grow. */
  #chunks: Buffer[][] = [];
  #lastChunkBytes = 0;
  /** When the linger of the last chunk was over; null = it goes on. */
  #dueSinceMs: number | null = null;
  #sequence = 0;

  constructor(publisher: Uuid, batchBytesMax: number, stats: PublisherStats) {
    this.#stats = stats;
    this.#publisher = publisher;
    this.#bodyBytesMax = batchBytesMax - batchOverheadBytes;
  }

  /** Answers whether the batch before it is full now. */
  add(body: Buffer): boolean {
    this.#stats.queued += 1;
    this.#stats.queuedBytes += body.length;
    const last = this.#chunks.at(-1);
    if (last !== undefined && this.#lastChunkBytes + body.length <= this.#bodyBytesMax) {
      last.push(body);
      this.#lastChunkBytes += body.length;
      return false;
    }
    this.#chunks.push([body]);
    this.#lastChunkBytes = body.length;
    this.#dueSinceMs = null;
    return last !== undefined;
  }

  /** What is held now waits for company no longer. */
  endLinger(nowMs: number): void {
    if (this.#chunks.length > 0) this.#dueSinceMs ??= nowMs;
  }

  get hasDue(): boolean {
    return this.#chunks.length > (this.#dueSinceMs === null ? 1 : 0);
  }

  /** The oldest batch that is due; null where there is none. */
  takeNext(nowMs: number): Batch | null {
    return this.hasDue ? this.#assemble(this.#chunks.shift()!, nowMs) : null;
  }

  /** The batches that cannot grow, and one that can if its linger was over so long ago. */
  takeDue(nowMs: number, dueForMs: number): Batch[] {
    const { length } = this.#chunks;
    const isLastTaken = this.#dueSinceMs !== null && nowMs - this.#dueSinceMs >= dueForMs;
    const taken = this.#chunks.splice(0, isLastTaken ? length : length - 1);
    return taken.map((bodies) => this.#assemble(bodies, nowMs));
  }

  takeAll(nowMs: number): Batch[] {
    return this.#chunks.splice(0).map((bodies) => this.#assemble(bodies, nowMs));
  }

  #assemble(bodies: readonly Buffer[], nowMs: number): Batch {
    if (this.#chunks.length === 0) this.#dueSinceMs = null;
    this.#sequence += 1;
    const encoded = assembleBatch(this.#publisher, this.#sequence, bodies);
    const bodyBytes = bodies.reduce((sum, body) => sum + body.length, 0);
    this.#stats.queuedBytes += encoded.value.length - bodyBytes;
    return {
      value: encoded.value,
      headers: encoded.headers,
      outcomes: bodies.length,
      assembledAtMs: nowMs,
      isRecovered: false,
    };
  }
}
