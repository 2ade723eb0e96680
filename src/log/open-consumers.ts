import type { LogConsumer } from './port.js';

/** The consumers of a log that are not closed: they end with it. */
export class OpenConsumers<Consumer extends LogConsumer> implements Iterable<Consumer> {
  readonly #open = new Set<Consumer>();

  /** The consumer as its user sees it. */
  add(consumer: Consumer): LogConsumer {
    this.#open.add(consumer);
    return {
      start: (handlers) => consumer.start(handlers),
      close: async () => {
        this.#open.delete(consumer);
        await consumer.close();
      },
    };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((consumer) => consumer.close()));
    this.#open.clear();
  }

  [Symbol.iterator](): Iterator<Consumer> {
    return this.#open.values();
  }
}
