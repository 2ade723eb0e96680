import type { LogWriter, NewRecord } from '../../src/log/port.js';

/**
 * What becomes of one append: written and acknowledged; rejected without or after its bytes were
 * written; or no answer, until the test gives one.
 */
export type Answer = 'ack' | 'reject' | 'reject_written' | 'hang' | 'hang_written';

export interface Attempt {
  partition: number;
  value: Buffer;
  headers: Readonly<Record<string, Buffer>>;
  /** So many appends had been asked for when it was acknowledged. */
  acknowledgedAt: number | null;
}

/** A log that does as it is told and remembers all that was asked of it. */
export class ScriptedLog {
  readonly attempts: Attempt[] = [];
  readonly partitions = new Map<number, Attempt[]>();
  /** Answers to the next appends; after them comes `otherwise`. */
  answers: Answer[] = [];
  otherwise: Answer = 'ack';
  overlaps = 0;

  /** A connection of one process: after `kill` nothing of it is answered or written any more. */
  connect(): ScriptedConnection {
    return new ScriptedConnection(this);
  }

  nextAnswer(): Answer {
    return this.answers.shift() ?? this.otherwise;
  }

  write(attempt: Attempt): number {
    const records = this.partitions.get(attempt.partition) ?? [];
    records.push(attempt);
    this.partitions.set(attempt.partition, records);
    return records.length - 1;
  }
}

export class ScriptedConnection implements LogWriter {
  readonly #log: ScriptedLog;
  readonly #outstanding = new Set<number>();
  readonly #hanging = new Set<(how: 'ack' | 'reject') => void>();
  #isDead = false;

  constructor(log: ScriptedLog) {
    this.#log = log;
  }

  get hanging(): number {
    return this.#hanging.size;
  }

  async append(_topic: string, partition: number, records: readonly NewRecord[]): Promise<number> {
    if (this.#isDead) return new Promise(() => {});
    if (this.#outstanding.has(partition) || records.length !== 1) this.#log.overlaps += 1;
    this.#outstanding.add(partition);
    const [record] = records as [NewRecord];
    const attempt: Attempt = {
      partition,
      value: record.value as Buffer,
      headers: record.headers ?? {},
      acknowledgedAt: null,
    };
    this.#log.attempts.push(attempt);
    try {
      // As a network does: the answer never comes in the same turn.
      await new Promise((resolve) => setImmediate(resolve));
      return await this.#answer(attempt);
    } finally {
      this.#outstanding.delete(partition);
    }
  }

  /** Answers every append that hangs. */
  release(how: 'ack' | 'reject'): void {
    const waiting = [...this.#hanging];
    this.#hanging.clear();
    for (const answer of waiting) answer(how);
  }

  kill(): void {
    this.#isDead = true;
  }

  async #answer(attempt: Attempt): Promise<number> {
    if (this.#isDead) return new Promise(() => {});
    let how = this.#log.nextAnswer();
    let offset = -1;
    if (how === 'reject_written' || how === 'hang_written') offset = this.#log.write(attempt);
    if (how === 'hang' || how === 'hang_written') {
      how = await new Promise((resolve) => this.#hanging.add(resolve));
      if (this.#isDead) return new Promise(() => {});
    }
    if (how !== 'ack') throw new Error('the log is away');
    if (offset === -1) offset = this.#log.write(attempt);
    attempt.acknowledgedAt = this.#log.attempts.length;
    return offset;
  }
}
