/**
 * When a partition must stop rather than empty itself into the dead-letter topic: after 20
 * undecodable records in a row, or more than 1 % of the last 10,000 and at least 20. Events that
 * only break a rule do not count: one bad emitter stops no others.
 */
const UNDECODABLE_RUN_MAX = 20;
const UNDECODABLE_WINDOW = 10_000;
/** One in a hundred: a partition that is half garbage has a wrong schema, not a bad record. */
const UNDECODABLE_WINDOW_MAX = 100;

export interface DeadLetterCounters {
  /** Records read so far. */
  records: number;
  /** Undecodable ones at the end, in a row. */
  run: number;
  /** Which of the last 10,000 were undecodable, by their number in the partition; at most 101. */
  recent: number[];
  /** An operator lets everything below this offset pass. */
  allowedTo: number;
}

export class DeadLetterLimit {
  #counters: DeadLetterCounters;

  constructor(stored: DeadLetterCounters) {
    this.#counters = { ...stored, recent: [...stored.recent] };
  }

  /** Counts a record; true where the limit is passed and the partition stops behind it. */
  count(offset: number, undecodable: boolean): boolean {
    const counters = this.#counters;
    counters.records += 1;
    const oldest = counters.records - UNDECODABLE_WINDOW;
    while (counters.recent.length > 0 && counters.recent[0]! <= oldest) counters.recent.shift();
    if (!undecodable) {
      counters.run = 0;
      return false;
    }
    counters.run += 1;
    counters.recent.push(counters.records);
    if (counters.recent.length > UNDECODABLE_WINDOW_MAX + 1) counters.recent.shift();
    return offset >= counters.allowedTo && this.isPassed();
  }

  isPassed(): boolean {
    const { run, recent } = this.#counters;
    return run >= UNDECODABLE_RUN_MAX || recent.length > UNDECODABLE_WINDOW_MAX;
  }

  counters(): DeadLetterCounters {
    return { ...this.#counters, recent: [...this.#counters.recent] };
  }
}
