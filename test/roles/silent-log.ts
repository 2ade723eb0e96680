import type { Log, LogConsumer } from '../../src/log/port.js';

/** A log whose topics are all there, and which answers no append. */
export class SilentLog implements Log {
  async createTopics(): Promise<void> {}
  async deleteTopics(): Promise<void> {}
  async close(): Promise<void> {}

  async partitions(topics: readonly string[]): Promise<Map<string, number>> {
    return new Map(topics.map((topic) => [topic, 1]));
  }

  async weaknesses(): Promise<string[]> {
    return [];
  }

  append(): Promise<number> {
    return new Promise(() => {});
  }

  bounds(): Promise<never> {
    throw new Error('nobody asks');
  }

  offsetForTime(): Promise<never> {
    throw new Error('nobody asks');
  }

  read(): Promise<never> {
    throw new Error('nobody asks');
  }

  consumer(): LogConsumer {
    throw new Error('nobody asks');
  }
}
