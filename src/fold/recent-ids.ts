import type { Uuid } from '../event/outcome.js';

/**
 * The ids of the last `capacity` decoded events of a partition, duplicates counted too: an event
 * whose id is among them is a duplicate. Exact, in fixed memory: a ring of ids, chained by hash.
 *
 * Each slot also keeps the offset of the record that its event came in, so that the checkpoint can
 * say where the window begins and an assignment can read it back from the log.
 */
export const RECENT_IDS = 2 ** 16;

const NONE = -1;

export class RecentIds {
  readonly #capacity: number;
  readonly #ids: Uint8Array;
  readonly #offsets: Float64Array;
  /** First slot of each hash bucket, then the next slot of the same bucket. */
  readonly #heads: Int32Array;
  readonly #nexts: Int32Array;
  #added = 0;

  /** `capacity` is a power of two. */
  constructor(capacity: number = RECENT_IDS) {
    this.#capacity = capacity;
    this.#ids = new Uint8Array(capacity * 16);
    this.#offsets = new Float64Array(capacity);
    this.#heads = new Int32Array(capacity).fill(NONE);
    this.#nexts = new Int32Array(capacity).fill(NONE);
  }

  has(id: Uuid): boolean {
    return this.#isIn(this.#bucket(id, 0), id);
  }

  #isIn(bucket: number, id: Uuid): boolean {
    let slot = this.#heads[bucket]!;
    while (slot !== NONE) {
      if (this.#isAt(slot, id)) return true;
      slot = this.#nexts[slot]!;
    }
    return false;
  }

  /** Remembers the id of an event of the record at `offset`; the oldest one gives way. */
  add(id: Uuid, offset: number): void {
    this.#addTo(this.#bucket(id, 0), id, offset);
  }

  /** The same, and whether the id was there before. */
  addAndTell(id: Uuid, offset: number): boolean {
    const bucket = this.#bucket(id, 0);
    const wasThere = this.#isIn(bucket, id);
    this.#addTo(bucket, id, offset);
    return wasThere;
  }

  #addTo(bucket: number, id: Uuid, offset: number): void {
    const slot = this.#added % this.#capacity;
    if (this.#added >= this.#capacity) this.#unlink(slot);
    this.#ids.set(id, slot * 16);
    this.#offsets[slot] = offset;
    this.#nexts[slot] = this.#heads[bucket]!;
    this.#heads[bucket] = slot;
    this.#added += 1;
  }

  /** Offset of the record that holds the oldest id; null while there is none. */
  oldestOffset(): number | null {
    if (this.#added === 0) return null;
    return this.#offsets[this.#added < this.#capacity ? 0 : this.#added % this.#capacity]!;
  }

  #unlink(slot: number): void {
    const bucket = this.#bucket(this.#ids, slot * 16);
    let at = this.#heads[bucket]!;
    if (at === slot) {
      this.#heads[bucket] = this.#nexts[slot]!;
      return;
    }
    while (this.#nexts[at]! !== slot) at = this.#nexts[at]!;
    this.#nexts[at] = this.#nexts[slot]!;
  }

  #isAt(slot: number, id: Uuid): boolean {
    const start = slot * 16;
    for (let i = 0; i < 16; i++) if (this.#ids[start + i] !== id[i]) return false;
    return true;
  }

  /** FNV-1a over the 16 bytes: UUIDv7 carries its randomness in the last ones. */
  #bucket(bytes: Uint8Array, start: number): number {
    let hash = 0x811c9dc5;
    for (let i = start; i < start + 16; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    return (hash ^ (hash >>> 15)) & (this.#capacity - 1);
  }
}
