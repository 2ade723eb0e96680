/**
 * The highest sequence of each publisher in a partition. A batch not above it is a duplicate
 * whole, whatever its publisher resends. A high expires when the partition's highest record time
 * is 30 days past its last use; publishers drop spooled batches long before (7 days).
 */
export const HIGH_LIFETIME_MS = 30 * 86_400_000;

/**
 * Highs that stay in memory between two batches, some 3 MB; the others are asked for where a batch
 * names their publishers. So memory does not follow how many publishers there were, and none is
 * forgotten before its time, which would count what it sends again.
 */
export const HIGHS_KEPT = 2 ** 14;

export interface PublisherHigh {
  /** UUID in text */
  publisher: string;
  sequence: number;
  /** Record time of the last use, ms since the epoch. */
  usedAtMs: number;
}

/**
 * Before a batch is folded, `absent` names the publishers whose highs are to be read, and `recall`
 * takes what is stored of them: who has none by then is new.
 */
export class PublisherHighs {
  readonly #kept: number;
  /** The one used last is the last. */
  readonly #highs = new Map<string, PublisherHigh>();
  readonly #changed = new Set<string>();

  constructor(kept: number = HIGHS_KEPT) {
    this.#kept = kept;
  }

  /** How many are in memory. */
  get size(): number {
    return this.#highs.size;
  }

  /** Those of the publishers whose highs are not in memory. */
  absent(publishers: Iterable<string>): string[] {
    return [...publishers].filter((publisher) => !this.#highs.has(publisher));
  }

  /** What is stored of publishers that were absent. */
  recall(stored: readonly PublisherHigh[]): void {
    for (const high of stored) this.#highs.set(high.publisher, high);
  }

  /**
   * Whether the batch is above its publisher's highest; it is the highest from then on.
   * `highestRecordMs` is the partition's highest record time, this record included.
   */
  advance(publisher: string, sequence: number, recordMs: number, highestRecordMs: number): boolean {
    const stored = this.#highs.get(publisher);
    const known =
      stored !== undefined && highestRecordMs - stored.usedAtMs <= HIGH_LIFETIME_MS ? stored : null;
    const high = known?.sequence ?? 0;
    this.#highs.delete(publisher);
    this.#highs.set(publisher, {
      publisher,
      sequence: Math.max(sequence, high),
      usedAtMs: Math.max(recordMs, known?.usedAtMs ?? 0),
    });
    this.#changed.add(publisher);
    return sequence > high;
  }

  /**
   * The highs that changed since the last call: they are stored with the rows. Those that were not
   * used for longest leave memory; who could not store these throws the whole state away.
   */
  takeChanged(): PublisherHigh[] {
    const changed = [...this.#changed].sort().map((publisher) => this.#highs.get(publisher)!);
    this.#changed.clear();
    for (const publisher of this.#highs.keys()) {
      if (this.#highs.size <= this.#kept) break;
      this.#highs.delete(publisher);
    }
    return changed;
  }
}
