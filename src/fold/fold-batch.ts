import type { DecodeFailure } from '../event/decode.js';
import type { DecodedRecord } from '../event/outcome.js';
import { recordTimeMs } from '../event/record-time.js';
import { foldCatalogueRecord } from './catalogue.js';
import {
  type BatchResult,
  emptyResult,
  type FoldContext,
  type FoldSettings,
  park,
  type Verdict,
} from './context.js';
import { foldInflight } from './inflight.js';
import type { Origin } from './origin.js';
import { foldBatchOfOutcomes, foldReplay, foldSingleOutcome } from './outcomes.js';
import type { PartitionState } from './partition-state.js';
import { RowIndex } from './row-index.js';
import { foldSummary } from './summaries.js';

/** A record as the fold takes it: its place and time in the log, and what its bytes are. */
export interface FoldRecord {
  offset: number;
  /** The record's time in the log, ms since the epoch. */
  timestampMs: number;
  decoded: DecodedRecord | DecodeFailure;
  /** Of a replayed dead letter: the place that it was parked at; null = any other record. */
  origin?: Origin | null;
  /** By index (-1 = the record whole): what an earlier fold found; absent = it is judged here. */
  verdicts?: ReadonlyMap<number, Verdict> | null;
  /** The same of an attempt without a commit, which may not have come to the rest. */
  letters?: ReadonlyMap<number, Verdict> | null;
}

/**
 * Folds records of one partition, in offset order, into what they change. Pure but for `state`,
 * which moves on: no clock, no I/O; how records are cut into batches makes no difference.
 *
 * `replayable` holds the parked places (`offset/index`) that the records' origins name and that no
 * earlier batch has counted a copy of.
 */
export function foldBatch(
  state: PartitionState,
  records: Iterable<FoldRecord>,
  settings: FoldSettings,
  replayable: Set<string> = new Set(),
): BatchResult {
  const result = emptyResult();
  const index = new RowIndex(state.admission);
  for (const record of records) {
    if (record.offset < state.offsetNext) continue;
    state.offsetNext = record.offset + 1;
    const recordMs = recordTimeMs(record.timestampMs);
    state.highestRecordMs = Math.max(state.highestRecordMs ?? 0, recordMs);
    const context: FoldContext = {
      state,
      settings,
      result,
      offset: record.offset,
      recordMs,
      replayable,
      index,
      verdicts: record.verdicts ?? null,
      letters: record.letters ?? null,
    };
    const undecodable = foldRecord(context, record.decoded, record.origin ?? null);
    if (state.limit.count(record.offset, undecodable)) {
      result.stoppedAt = state.offsetNext;
      break;
    }
  }
  return result;
}

/** True where the bytes were no record at all. */
function foldRecord(
  context: FoldContext,
  decoded: DecodedRecord | DecodeFailure,
  origin: Origin | null,
): boolean {
  const earlier = (context.verdicts ?? context.letters)?.get(-1);
  if (earlier !== undefined || 'failed' in decoded) {
    const { code, reason } = earlier ?? (decoded as DecodeFailure);
    park(context, -1, code, reason);
    return true;
  }
  if (!context.state.accepts.has(decoded.type)) {
    context.result.counts.read += 1;
    context.result.counts.skipped += 1;
    return false;
  }
  switch (decoded.type) {
    case 'OutcomeBatch':
      if (origin === null) foldBatchOfOutcomes(context, decoded.value);
      else foldReplay(context, decoded.value.outcomes, origin);
      return false;
    case 'RequestOutcome':
      if (origin === null) foldSingleOutcome(context, decoded.value);
      else foldReplay(context, [decoded.value], origin);
      return false;
    case 'Inflight':
      foldInflight(context, decoded.value);
      return false;
    case 'OutcomeSummary':
      foldSummary(context, decoded.value);
      return false;
    case 'unknown':
    case 'Decision':
    case 'Schema':
      return false;
    default:
      foldCatalogueRecord(context, decoded);
      return false;
  }
}
