import { crc32c } from '../event/crc32c.js';
import type { OutcomeBatch } from '../event/outcome.js';

/** The fold's own number, written again: what is counted here takes nothing from the fold. */
const HIGH_LIFETIME_MS = 30 * 86_400_000;
/** Publishers that one pass holds, some 40 MB: of more of them, each pass judges a share. */
const HIGHS_MAX = 2 ** 18;

/** The publishers of one of `of` shares, by a hash of their ids. */
export interface Share {
  index: number;
  of: number;
}

const WHOLE: Share = { index: 0, of: 1 };

/** More publishers were heard within thirty days than one pass holds. */
export class TooManyPublishers extends Error {}

type Batch = Pick<OutcomeBatch, 'publisher' | 'sequence'>;

/** The highest sequences of a share's publishers, in the plainest way. */
export class RecountedHighs {
  readonly #share: Share;
  readonly #max: number;
  readonly #highs = new Map<string, { sequence: number; usedAtMs: number }>();

  constructor(share: Share = WHOLE, max: number = HIGHS_MAX) {
    this.#share = share;
    this.#max = max;
  }

  /** What has no publisher is of the first share. */
  isMine(batch: Batch | null): boolean {
    const { index, of } = this.#share;
    return batch === null ? index === 0 : crc32c(batch.publisher) % of === index;
  }

  /** Whether the batch is above the highest before it; throws `TooManyPublishers`. */
  isAbove({ publisher, sequence }: Batch, recordMs: number, highestMs: number): boolean {
    const id = Buffer.from(publisher).toString('hex');
    const stored = this.#highs.get(id);
    const high = stored !== undefined && isAlive(stored, highestMs) ? stored : null;
    if (stored === undefined && this.#highs.size >= this.#max) this.#makeRoom(highestMs);
    this.#highs.set(id, {
      sequence: Math.max(sequence, high?.sequence ?? 0),
      usedAtMs: Math.max(recordMs, high?.usedAtMs ?? 0),
    });
    return sequence > (high?.sequence ?? 0);
  }

  /** At least half of it, so that it is not looked for again at each batch. */
  #makeRoom(highestMs: number): void {
    for (const [id, high] of this.#highs) if (!isAlive(high, highestMs)) this.#highs.delete(id);
    if (this.#highs.size > this.#max / 2) throw new TooManyPublishers();
  }
}

function isAlive({ usedAtMs }: { usedAtMs: number }, highestMs: number): boolean {
  return highestMs - usedAtMs <= HIGH_LIFETIME_MS;
}
