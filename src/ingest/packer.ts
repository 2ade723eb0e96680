import { assembleBatch, batchOverheadBytes } from '../event/encode.js';
import type { Uuid } from '../event/outcome.js';
import type { NewRecord } from '../log/port.js';

/** What is to be written: the value of a record, or an outcome's body for a batch. */
export interface Entry {
  key: Buffer | null;
  value: Buffer;
}

/** Makes the records of one append; their bytes never change again. */
export interface Packer {
  pack(entries: readonly Entry[]): NewRecord[];
}

/** Each entry is a record of its own. */
export const recordPacker: Packer = {
  pack: (entries) => entries.map(({ key, value }) => ({ key, value })),
};

/** Bytes of one batch: the bound of every publisher. */
const BATCH_BYTES_MAX = 64 * 1024;

/**
 * Outcomes of many callers in batches of one publisher: a record costs the log the same with one
 * outcome or with two hundred, and a batch that reaches it twice counts once by its sequence,
 * however long ago the first was.
 */
export class BatchPacker implements Packer {
  readonly #publisher: Uuid;
  /** From 1, by one, for each publisher and partition. */
  #sequence = 0;

  constructor(publisher: Uuid) {
    this.#publisher = publisher;
  }

  pack(entries: readonly Entry[]): NewRecord[] {
    return chunksOf(entries).map((bodies) => {
      this.#sequence += 1;
      return { key: null, ...assembleBatch(this.#publisher, this.#sequence, bodies) };
    });
  }
}

function chunksOf(entries: readonly Entry[]): Buffer[][] {
  const chunks: Buffer[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const { value } of entries) {
    if (bytes + value.length > BATCH_BYTES_MAX - batchOverheadBytes) {
      chunks.push([]);
      bytes = 0;
    }
    chunks.at(-1)!.push(value);
    bytes += value.length;
  }
  return chunks;
}
