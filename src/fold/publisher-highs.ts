/**
 * The highest sequence of each publisher in a partition. A batch not above it is a duplicate
 * whole, whatever its publisher resends. A high expires when the partition's highest record time
 * is 30 days past its last use; publishers drop spooled batches long before (7 days).
 */
export const HIGH_LIFETIME_MS = 30 * 86_400_000;

export interface PublisherHigh {
  /** 32 hex digits */
  publisher: string;
  sequence: number;
  /** Record time of the last use, ms since the epoch. */
  usedAtMs: number;
}

export class PublisherHighs {
  readonly #highs: Map<string, PublisherHigh>;
  readonly #changed = new Set<string>();

  constructor(stored: readonly PublisherHigh[] = []) {
    this.#highs = new Map(stored.map((high) => [high.publisher, high]));
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
    this.#highs.set(publisher, {
      publisher,
      sequence: Math.max(sequence, high),
      usedAtMs: Math.max(recordMs, known?.usedAtMs ?? 0),
    });
    this.#changed.add(publisher);
    return sequence > high;
  }

  /** The highs that changed since the last call: they are stored with the rows. */
  takeChanged(): PublisherHigh[] {
    const changed = [...this.#changed].sort().map((publisher) => this.#highs.get(publisher)!);
    this.#changed.clear();
    return changed;
  }

  /** Forgets what has expired; what it forgets counted as none already. */
  forgetExpired(highestRecordMs: number): void {
    for (const [publisher, high] of this.#highs) {
      if (highestRecordMs - high.usedAtMs > HIGH_LIFETIME_MS) this.#highs.delete(publisher);
    }
  }
}
