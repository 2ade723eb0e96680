import { assembleBatch, batchOverheadBytes } from '../event/encode.js';
import type { Uuid } from '../event/outcome.js';
import type { Batch } from './batch.js';
import type { PublisherStats } from './stats.js';

/**
 * Collects the encoded outcomes of one partition, in the order of recording, and makes batches of
 * them, each as full as the bound allows. It gives the batches their sequence: from 1, by one.
 */
export class Assembler {
  readonly #publisher: Uuid;
  readonly #bodyBytesMax: number;
  readonly #stats: PublisherStats;
  /** Chunks of at most `bodyBytesMax`; only the last one may still grow. */
  #chunks: Buffer[][] = [];
  #lastChunkBytes = 0;
  #sequence = 0;

  constructor(publisher: Uuid, batchBytesMax: number, stats: PublisherStats) {
    this.#stats = stats;
    this.#publisher = publisher;
    this.#bodyBytesMax = batchBytesMax - batchOverheadBytes;
  }

  /** True where there is a full batch. */
  get hasFull(): boolean {
    return this.#chunks.length > 1;
  }

  add(body: Buffer): void {
    this.#stats.queued += 1;
    this.#stats.queuedBytes += body.length;
    const last = this.#chunks.at(-1);
    if (last !== undefined && this.#lastChunkBytes + body.length <= this.#bodyBytesMax) {
      last.push(body);
      this.#lastChunkBytes += body.length;
    } else {
      this.#chunks.push([body]);
      this.#lastChunkBytes = body.length;
    }
  }

  /** The full batches, which cannot grow any more. */
  takeFull(nowMs: number): Batch[] {
    return this.#assemble(this.#chunks.splice(0, this.#chunks.length - 1), nowMs);
  }

  takeAll(nowMs: number): Batch[] {
    return this.#assemble(this.#chunks.splice(0), nowMs);
  }

  #assemble(chunks: Buffer[][], nowMs: number): Batch[] {
    return chunks.map((bodies) => {
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
    });
  }
}
