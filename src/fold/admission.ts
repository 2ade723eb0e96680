/**
 * The bound on keys: at most `max` of a kind in a partition and UTC day of record time, so that no
 * emitter can grow the tables without limit. Keys admitted the day before hold their place first:
 * a new key is admitted only while today's keys and yesterday's unseen ones leave room.
 */
export type KeyKind = 'offering' | 'usage' | 'error';

export interface AdmittedKey {
  day: number;
  kind: KeyKind;
  key: string;
}

const MS_A_DAY = 86_400_000;

interface DayKeys {
  today: Set<string>;
  yesterday: Set<string>;
  /** Yesterday's keys that were not seen today. */
  reserved: number;
}

export class Admission {
  readonly #max: number;
  #newestDay: number | null = null;
  readonly #kinds = new Map<KeyKind, DayKeys>();
  #admitted: AdmittedKey[] = [];

  /** `stored`: the keys of the two newest days, as an earlier batch left them. */
  constructor(max: number, stored: readonly AdmittedKey[] = []) {
    this.#max = max;
    if (stored.length === 0) return;
    const newest = Math.max(...new Set(stored.map((entry) => entry.day)));
    this.#newestDay = newest;
    for (const { day, kind, key } of stored) {
      if (day === newest) this.#keysOf(kind).today.add(key);
      else if (day === newest - 1) this.#keysOf(kind).yesterday.add(key);
    }
    for (const keys of this.#kinds.values()) keys.reserved = countUnseen(keys);
  }

  /** Whether a key of a record of this time has a place; it takes one where it can. */
  admits(kind: KeyKind, key: string, recordMs: number): boolean {
    this.#turnTo(Math.floor(recordMs / MS_A_DAY));
    const keys = this.#keysOf(kind);
    if (keys.today.has(key)) return true;
    if (keys.yesterday.has(key)) keys.reserved -= 1;
    else if (keys.today.size + keys.reserved >= this.#max) return false;
    keys.today.add(key);
    this.#admitted.push({ day: this.#newestDay!, kind, key });
    return true;
  }

  /** The keys that were admitted since the last call: they are stored with the rows. */
  takeAdmitted(): AdmittedKey[] {
    const admitted = this.#admitted;
    this.#admitted = [];
    return admitted;
  }

  /** Older days than this one are not needed any more; null while there is none. */
  oldestDayKept(): number | null {
    return this.#newestDay === null ? null : this.#newestDay - 1;
  }

  /** Record time may run back over midnight: the newest day stays. */
  #turnTo(day: number): void {
    const newest = this.#newestDay;
    if (newest !== null && day <= newest) return;
    for (const keys of this.#kinds.values()) {
      keys.yesterday = newest !== null && day === newest + 1 ? keys.today : new Set();
      keys.today = new Set();
      keys.reserved = keys.yesterday.size;
    }
    this.#newestDay = day;
  }

  #keysOf(kind: KeyKind): DayKeys {
    let keys = this.#kinds.get(kind);
    if (keys === undefined) {
      keys = { today: new Set(), yesterday: new Set(), reserved: 0 };
      this.#kinds.set(kind, keys);
    }
    return keys;
  }
}

function countUnseen(keys: DayKeys): number {
  let unseen = 0;
  for (const key of keys.yesterday) if (!keys.today.has(key)) unseen += 1;
  return unseen;
}
