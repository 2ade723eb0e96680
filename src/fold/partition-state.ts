import type { DecodedRecord } from '../event/outcome.js';
import { topicKind } from '../log/topics.js';
import { Admission, type AdmittedKey } from './admission.js';
import { type DeadLetterCounters, DeadLetterLimit } from './dead-letter-limit.js';
import { HIGHS_KEPT, PublisherHighs } from './publisher-highs.js';
import { RECENT_IDS, RecentIds } from './recent-ids.js';

/**
 * All that the fold of one partition knows between two batches. It is a function of the
 * partition's records below `offsetNext` alone; everything but the window of recent ids is stored
 * with the rows, and the window is read back from the log. Of the publishers' highs it holds those
 * that were used last.
 *
 * A batch changes it in place: when its commit fails, the state is thrown away and loaded again.
 */
export interface PartitionState {
  readonly topic: string;
  readonly partition: number;
  /** Record types that this topic is folded from: others in it are skipped. */
  readonly accepts: ReadonlySet<DecodedRecord['type']>;
  /** Offset of the next record to fold. */
  offsetNext: number;
  /** Highest record time so far, ms since the epoch; null before the first record. */
  highestRecordMs: number | null;
  readonly recent: RecentIds;
  readonly highs: PublisherHighs;
  readonly admission: Admission;
  readonly limit: DeadLetterLimit;
}

/**
 * What each topic is folded from. A row is written by the one partition that its key names, so an
 * outcome in the wrong topic must not reach the tables: it would be a second writer.
 */
const ACCEPTED: Readonly<Record<string, ReadonlySet<DecodedRecord['type']>>> = {
  outcomes: new Set(['OutcomeBatch', 'RequestOutcome']),
  inflight: new Set(['Inflight']),
  summaries: new Set(['OutcomeSummary']),
  catalogue: new Set([
    'CatalogueModel',
    'CatalogueProvider',
    'CatalogueOffering',
    'CatalogueAlias',
    'CataloguePrice',
  ]),
  policies: new Set(['Policy']),
};

/** The stored part of a partition's state. */
export interface StoredState {
  offsetNext: number;
  highestRecordMs: number | null;
  admitted: readonly AdmittedKey[];
  deadLetters: DeadLetterCounters;
}

/**
 * `recentIds`: events that the second duplicate rule looks back on, a power of two; `highsKept`:
 * publishers whose highs stay in memory.
 */
export function partitionState(
  topic: string,
  partition: number,
  keysMax: number,
  stored: StoredState,
  recentIds: number = RECENT_IDS,
  highsKept: number = HIGHS_KEPT,
): PartitionState {
  return {
    topic,
    partition,
    accepts: ACCEPTED[topicKind(topic) ?? ''] ?? new Set(),
    offsetNext: stored.offsetNext,
    highestRecordMs: stored.highestRecordMs,
    recent: new RecentIds(recentIds),
    highs: new PublisherHighs(highsKept),
    admission: new Admission(keysMax, stored.admitted),
    limit: new DeadLetterLimit(stored.deadLetters),
  };
}

export const NEW_STATE: StoredState = {
  offsetNext: 0,
  highestRecordMs: null,
  admitted: [],
  deadLetters: { records: 0, run: 0, recent: [], allowedTo: 0 },
};
