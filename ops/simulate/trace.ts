import { createHash } from 'node:crypto';

/** Every step of a run in one line each; equal runs have equal hashes. */
export class Trace {
  readonly #hash = createHash('sha256');
  readonly #onLine: ((line: string) => void) | null;
  #steps = 0;

  constructor(onLine: ((line: string) => void) | null) {
    this.#onLine = onLine;
  }

  get steps(): number {
    return this.#steps;
  }

  add(nowMs: number, text: string): void {
    this.#steps += 1;
    const line = `${this.#steps} ${nowMs} ${text}`;
    this.#hash.update(line).update('\n');
    this.#onLine?.(line);
  }

  digest(): string {
    return this.#hash.copy().digest('hex');
  }
}
