import type { Pool } from 'pg';
import type { Schemas } from '../event/schemas.js';
import { reasonText } from '../hotkeys/state-log.js';
import type { LogReader } from '../log/port.js';
import type { Topics } from '../log/topics.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { closeBooks, type PartitionBooks } from '../replay/books.js';
import type { Recounter } from '../replay/recount.js';

export interface BooksParts {
  pool: Pool;
  schema: string;
  log: LogReader;
  readSchemas(): Promise<Schemas>;
  topics: Topics;
  minuteRetentionMs: number;
  metrics: Metrics;
  logger: Pick<Logger, 'warn' | 'error'>;
  /** 0 = never. */
  intervalMs: number;
}

/**
 * Closes the books of outcomes again and again, for the metrics. Each record is read once more, and
 * no counter of the fold is asked. Resolves, when called, once nothing is under way any more.
 */
export function startBooks(parts: BooksParts): () => Promise<void> {
  const { intervalMs, logger } = parts;
  if (intervalMs === 0) return async () => {};
  const recounters = new Map<number, Recounter>();
  const wasClosed = new Map<string, boolean>();
  let timer: NodeJS.Timeout | undefined;
  let isEnded = false;
  const run = async (): Promise<void> => {
    try {
      for (const books of await countAgain(parts, recounters)) tell(parts, books, wasClosed);
      parts.metrics.gauge('booksCountedAt').set(Date.now() / 1000);
    } catch (error) {
      if (!isEnded) logger.warn({ reason: reasonText(error) }, 'The books could not be counted.');
    }
    if (!isEnded) timer = setTimeout(start, intervalMs);
  };
  let running = run();
  const start = (): void => {
    running = run();
  };
  return async () => {
    isEnded = true;
    clearTimeout(timer);
    // A long recount is not waited for: it changes nothing.
    await Promise.race([running, Promise.resolve()]);
  };
}

function countAgain(parts: BooksParts, recounters: Map<number, Recounter>) {
  const { pool, schema, log, readSchemas, topics, minuteRetentionMs } = parts;
  const table = { name: 'outcome_minute', events: 'events' };
  const common = { pool, schema, log, readSchemas, minuteRetentionMs, recounters };
  return closeBooks({ ...common, topic: topics.outcomes, table });
}

function tell(
  { metrics, logger }: BooksParts,
  books: PartitionBooks,
  wasClosed: Map<string, boolean>,
): void {
  const { topic, partition, closed } = books;
  const events = metrics.gauge('books');
  for (const result of RESULTS) events.set({ topic, partition, result }, books[result]);
  metrics.gauge('booksClosed').set({ topic, partition }, closed ? 1 : 0);
  const name = `${topic}/${partition}`;
  if (!closed && wasClosed.get(name) !== false) {
    logger.error({ ...books }, 'The books of a partition do not close.');
  }
  wasClosed.set(name, closed);
}

const RESULTS = ['read', 'applied', 'duplicate', 'dead_lettered', 'skipped', 'late'] as const;
