import { createMemoryHotKeys } from '../../src/hotkeys/memory-hot-keys.js';
import type { HotKeys, HotState, HotWrite } from '../../src/hotkeys/port.js';
import { GENERATION } from './layout.js';
import type { Call, Scheduler } from './scheduler.js';

/** Told of each write that got through. */
export type OnHotWrite = (before: HotState | null, write: HotWrite) => void;

/** The hot keys behind a network: they may lose everything at any moment. */
export class SimulatedHotKeys {
  readonly #scheduler: Scheduler;
  readonly #onWrite: OnHotWrite;
  #keys: HotKeys;

  constructor(scheduler: Scheduler, onWrite: OnHotWrite) {
    this.#scheduler = scheduler;
    this.#onWrite = onWrite;
    this.#keys = this.#empty();
  }

  /** What is stored now, as nobody but a check can see it. */
  state(): Promise<HotState | null> {
    return this.#keys.state(GENERATION);
  }

  lose(): void {
    this.#keys = this.#empty();
  }

  connect(call: Call): HotKeys {
    return {
      generation: () => call('generation', false, () => this.#keys.generation()),
      setGeneration: (expected, next) =>
        call(`set generation ${next}`, true, () => this.#keys.setGeneration(expected, next)),
      state: (generation) => call('state', false, () => this.#keys.state(generation)),
      write: (generation, expected, write) =>
        call(`write ${write.lane} ${write.next.version}`, true, () =>
          this.#write(generation, expected, write),
        ),
      read: (since) => call(`read since ${since?.revision}`, false, () => this.#keys.read(since)),
      isLost: (generation) => call('is lost', false, () => this.#keys.isLost(generation)),
      figures: () => call('figures', false, () => this.#keys.figures()),
      putDatabaseFigures: (text) =>
        call('put figures', true, () => this.#keys.putDatabaseFigures(text)),
      close: async () => {},
    };
  }

  async #write(generation: string, expected: HotState | null, write: HotWrite): Promise<boolean> {
    const before = await this.#keys.state(generation);
    const isWritten = await this.#keys.write(generation, expected, write);
    if (isWritten) this.#onWrite(before, write);
    return isWritten;
  }

  #empty(): HotKeys {
    return createMemoryHotKeys({ nowMs: () => this.#scheduler.nowMs });
  }
}
