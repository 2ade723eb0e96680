import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Uuid } from '../../src/event/outcome.js';

/**
 * What was acknowledged to those who wrote it: the ids, 16 bytes each, in a file that whoever
 * counts the topic compares with it.
 */
export class Ledger {
  readonly path: string;
  /** Outcomes that a writer took responsibility for. */
  recorded = 0;
  acknowledged = 0;
  readonly #file: WriteStream;

  constructor(path: string) {
    this.path = path;
    this.#file = createWriteStream(path);
  }

  /** Everything that was recorded is acknowledged. */
  get isSettled(): boolean {
    return this.recorded === this.acknowledged;
  }

  acknowledge(ids: readonly Uuid[]): void {
    this.acknowledged += ids.length;
    this.#file.write(Buffer.concat(ids));
  }

  /** Resolves once the file holds all of them. */
  flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#file.write('', (error) => (error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    this.#file.end();
    await finished(this.#file);
  }
}
