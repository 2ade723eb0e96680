import { type Vector, vectorVersion } from '../../src/hotkeys/port.js';
import type { HotSource } from '../../src/hotkeys/source.js';

interface Mark {
  partition: number;
  offset: number;
}

/**
 * A database whose partitions advance by commits, each of which marks keys. What a key holds as
 * of any vector is known, so that whatever a reader sees can be checked.
 */
export class FakeSource implements HotSource {
  readonly #offsets: number[];
  readonly #marks = new Map<string, Mark[]>();
  name = 'v100.7.1';
  nameInForce = 'v100.7.1';
  /** Values that change without a mark, as an hourly cache does. */
  unmarked = new Map<string, string>();

  constructor(partitions: number) {
    this.#offsets = Array.from({ length: partitions }, () => 0);
  }

  get vector(): Vector {
    return { outcomes: [...this.#offsets] };
  }

  commit(partition: number, keys: readonly string[]): void {
    const offset = this.#offsets[partition]! + 1;
    this.#offsets[partition] = offset;
    for (const key of keys) {
      const marks = this.#marks.get(key) ?? [];
      this.#marks.set(key, [...marks, { partition, offset }]);
    }
  }

  /** As after a fail-over to a replica that lacked the newest commits. */
  putBack(partition: number, offset: number): void {
    this.#offsets[partition] = offset;
  }

  /** Every key of the metrics lane that has a value as of the vector. */
  valuesAt(vector: Vector): Map<string, string> {
    const values = new Map<string, string>();
    for (const key of this.#marks.keys()) {
      const value = this.#valueAt(key, vector);
      if (value !== null) values.set(key, value);
    }
    return values;
  }

  healthAt(vector: Vector): string {
    return `health@${JSON.stringify(vector)}`;
  }

  async generation(): Promise<string> {
    return this.name;
  }

  async generationInForce(): Promise<string> {
    return this.nameInForce;
  }

  async health(): Promise<{ vector: Vector; value: string }> {
    return { vector: this.vector, value: this.healthAt(this.vector) };
  }

  async metrics(since: Vector | null): Promise<{
    vector: Vector;
    values: Map<string, string | null>;
  }> {
    const values = new Map<string, string | null>(this.unmarked);
    for (const [key, marks] of this.#marks) {
      const isMarked = marks.some(
        (mark) => mark.offset > (since?.['outcomes']?.[mark.partition] ?? 0),
      );
      if (isMarked) values.set(key, this.#valueAt(key, this.vector));
    }
    return { vector: this.vector, values };
  }

  /** Tells how many of the key's marks are below the vector; now and then the key is gone. */
  #valueAt(key: string, vector: Vector): string | null {
    const marks = (this.#marks.get(key) ?? []).filter(
      ({ partition, offset }) => offset <= (vector['outcomes']?.[partition] ?? 0),
    );
    if (marks.length % 4 === 0) return null;
    return `${key}=${marks.map(({ partition, offset }) => `${partition}/${offset}`).join()}`;
  }
}

export const isAtOrBelow = (low: Vector, high: Vector): boolean =>
  vectorVersion(low) <= vectorVersion(high) &&
  (low['outcomes'] ?? []).every((offset, i) => offset <= (high['outcomes']?.[i] ?? 0));
