import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import { AiRouterError } from '../../src/errors.js';
import type { Log } from '../../src/log/port.js';
import { readAll, text, valueText } from '../log/contract.js';

/** Appends numbers to one partition, one after another, each again until it is acknowledged. */
export class NumberedWriter {
  acknowledged = 0;
  rejected = 0;
  readonly #log: Log;
  readonly #topic: string;
  readonly #partition: number;
  readonly #running: Promise<void>;
  #isStopping = false;

  constructor(log: Log, topic: string, partition: number) {
    this.#log = log;
    this.#topic = topic;
    this.#partition = partition;
    this.#running = this.#run();
  }

  /** Resolves when so many more numbers are acknowledged. */
  async progress(numbers: number): Promise<void> {
    const goal = this.acknowledged + numbers;
    await vi.waitFor(
      () => {
        if (this.acknowledged < goal) throw new Error(`${this.acknowledged} of ${goal}`);
      },
      { timeout: 120_000, interval: 50 },
    );
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  /** The numbers that can be read, each once, in order; copies of a resent one are left out. */
  async readBack(): Promise<number[]> {
    const records = await readAll(this.#log, this.#topic, this.#partition);
    return [...new Set(records.map((record) => Number(valueText(record))))];
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        await this.#log.append(this.#topic, this.#partition, [text(`${this.acknowledged}`)]);
        this.acknowledged += 1;
      } catch (error) {
        if (!(error instanceof AiRouterError) || error.code !== 'log_unavailable') throw error;
        this.rejected += 1;
        await sleep(50);
      }
    }
  }
}

/** 0, 1, … up to the number of those that were acknowledged. */
export const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
