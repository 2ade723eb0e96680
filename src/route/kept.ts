/** The value of a key, made when it is first asked for. */
export function kept<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

interface Entry<T> {
  inputs: readonly unknown[];
  value: T;
}

/** The last value of each key with its inputs: it stands while each of them is the same. */
export class Memo<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #entriesMax: number;

  /** Of more than `entriesMax` keys the oldest gives way. */
  constructor(entriesMax = Number.POSITIVE_INFINITY) {
    this.#entriesMax = entriesMax;
  }

  get(key: string, inputs: readonly unknown[], make: () => T): T {
    const known = this.#entries.get(key);
    if (known !== undefined && isSame(known.inputs, inputs)) return known.value;
    const value = make();
    if (known === undefined && this.#entries.size >= this.#entriesMax) {
      this.#entries.delete(this.#entries.keys().next().value!);
    }
    this.#entries.set(key, { inputs, value });
    return value;
  }
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
