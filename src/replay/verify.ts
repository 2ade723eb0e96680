import type { Pool } from 'pg';
import type { HotKeys } from '../hotkeys/port.js';
import type { HotSource } from '../hotkeys/source.js';
import type { LogReader } from '../log/port.js';
import type { Topics } from '../log/topics.js';
import { storedFoldSettings } from '../project/projection-version.js';
import { type BooksOptions, closeBooks, type PartitionBooks } from './books.js';
import { projectionChecksum } from './checksum.js';
import { hotKeysMatch } from './hot-keys-match.js';

export interface Verification {
  books_closed: boolean;
  partitions: PartitionBooks[];
  summaries: PartitionBooks[];
  /** SHA-256 over the folded tables, hex. */
  checksum: string;
  /** Null where the hot keys cannot be asked, or the rows never stood still to be compared. */
  hot_keys_match: boolean | null;
}

export interface VerifyOptions {
  pool: Pool;
  schema: string;
  log: LogReader;
  readSchemas: BooksOptions['readSchemas'];
  topics: Topics;
  source: HotSource;
  /** Null where no process that holds them is running. */
  hotKeys: HotKeys | null;
}

/** Counts everything again, from the log and the tables. */
export async function verify(options: VerifyOptions): Promise<Verification> {
  const { pool, schema, log, readSchemas, topics } = options;
  const { minuteRetentionMs } = await storedFoldSettings(pool, schema);
  const common = { pool, schema, log, readSchemas, minuteRetentionMs };
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
    hot_keys_match:
      options.hotKeys === null ? null : await hotKeysMatch(options.source, options.hotKeys),
  };
}
