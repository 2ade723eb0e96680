import type { Pool } from 'pg';
import { schemas } from '../event/schemas.js';
import type { HotKeys, HotRead } from '../hotkeys/port.js';
import type { HotSource } from '../hotkeys/source.js';
import type { LogReader } from '../log/port.js';
import type { Topics } from '../log/topics.js';
import { storedMinuteRetentionMs } from '../project/projection-version.js';
import { closeBooks, type PartitionBooks } from './books.js';
import { projectionChecksum } from './checksum.js';

export interface Verification {
  books_closed: boolean;
  partitions: PartitionBooks[];
  summaries: PartitionBooks[];
  /** SHA-256 over the folded tables, hex. */
  checksum: string;
  /** Null where the hot keys cannot be asked. */
  hot_keys_match: boolean | null;
}

export interface VerifyOptions {
  pool: Pool;
  schema: string;
  log: LogReader;
  topics: Topics;
  source: HotSource;
  /** Null where no process that holds them is running. */
  hotKeys: HotKeys | null;
}

/** Counts everything again, from the log and the tables. */
export async function verify(options: VerifyOptions): Promise<Verification> {
  const { pool, schema, log, topics } = options;
  const minuteRetentionMs = await storedMinuteRetentionMs(pool, schema);
  const common = { pool, schema, log, schemas, minuteRetentionMs };
  const partitions = await closeBooks({
    ...common,
    topic: topics.outcomes,
    table: { name: 'outcome_minute', events: 'events' },
  });
  const summaries = await closeBooks({
    ...common,
    topic: topics.summaries,
    table: { name: 'summary_minute', events: 'summaries' },
  });
  return {
    books_closed: [...partitions, ...summaries].every((books) => books.closed),
    partitions,
    summaries,
    checksum: await projectionChecksum(pool, schema, topics),
    hot_keys_match: options.hotKeys === null ? null : await hotKeysMatch(options),
  };
}

/**
 * Whether the hot keys say what the rows say; meant at rest: while outcomes arrive, keys are
 * rightly behind for up to a second.
 */
async function hotKeysMatch({ source, hotKeys }: VerifyOptions): Promise<boolean> {
  const [health, metrics] = [await source.health(), await source.metrics(null)];
  const read = await hotKeys!.read(null);
  if (read === null || read.generation !== (await source.generation())) return false;
  const expected = new Map([...metrics.values, ['health', health.value] as const]);
  return isSame(expected, read);
}

function isSame(expected: ReadonlyMap<string, string | null>, read: HotRead): boolean {
  const values = [...expected].filter(([, value]) => value !== null);
  const stored = [...read.changed].filter(([, value]) => value !== null);
  return (
    values.length === stored.length &&
    values.every(([key, value]) => read.changed.get(key) === value)
  );
}
