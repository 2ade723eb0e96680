import { AiRouterError } from './errors.js';
import { batchPublishers } from './event/batch-publishers.js';
import { decode, unknownIds } from './event/decode.js';
import type { Schemas } from './event/schemas.js';
import type { BatchResult, FoldSettings, Verdict } from './fold/context.js';
import { type FoldRecord, foldBatch } from './fold/fold-batch.js';
import { type Origin, originOf } from './fold/origin.js';
import { type PartitionState, partitionState } from './fold/partition-state.js';
import { rememberRecord } from './fold/warm-up.js';
import type { ParkLetters } from './log/dead-letters.js';
import type {
  ConsumerHandlers,
  LogAdmin,
  LogBatch,
  LogRecord,
  TopicPartition,
} from './log/port.js';
import type { LettersOfRecord, UncommittedLetters } from './log/uncommitted-letters.js';
import type { Metrics } from './observe/metrics.js';
import type { Checkpoint, LastRecord } from './project/checkpoint.js';
import type { ProjectionStore } from './project/projection-store.js';
import { recordHash } from './project/record-hash.js';

/**
 * One batch from end to end: the file to read first.
 *
 *   decode → fold → park dead letters → one transaction (checkpoint + rows) → hot keys
 *
 * Nothing here waits for the hot keys: they are derived, and the next round or the reconciler
 * repairs what is lost.
 */
export interface PipelineParts {
  log: Pick<LogAdmin, 'bounds'>;
  schemas: Schemas;
  /** Looks up schema ids of others before their records are decoded. */
  lookUpSchemas(ids: readonly number[]): Promise<void>;
  store: ProjectionStore;
  parkDeadLetters: ParkLetters;
  /** Letters that an earlier attempt appended and did not commit; without it none are looked for. */
  uncommittedLetters?: (source: TopicPartition, from: number) => UncommittedLetters;
  /** Told after each commit; `caughtUp` = the partition is at its end. */
  refresher: { notify(info: { caughtUp: boolean }): void };
  metrics: Metrics;
  settings: FoldSettings;
  keysMax: number;
  /** What an earlier fold found in a record, by index; null = the record is judged here. */
  verdicts?: (place: TopicPartition, offset: number) => ReadonlyMap<number, Verdict> | null;
  /** Other than the fold's own only where a simulation must reach their ends. */
  recentIds?: number;
  highsKept?: number;
}

/** A partition that is ours: its state, and what is still to be read below the stored offset. */
interface Assigned {
  state: PartitionState;
  checkpoint: Checkpoint;
  letters: UncommittedLetters | null;
}

/** Unknown schema ids of one batch: each may cost a request, and garbage can claim any number. */
const LOOK_UPS_MAX = 32;

export function createPipeline(parts: PipelineParts): ConsumerHandlers {
  const partitions = new Map<string, Assigned>();
  const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

  return {
    async assigned(place) {
      const assigned = await loadPartition(parts, place);
      partitions.set(nameOf(place), assigned);
      return startOffset(assigned.checkpoint);
    },
    batch: (batch) => processBatch(parts, partitions.get(nameOf(batch))!, batch),
    revoked(places) {
      for (const place of places) partitions.delete(nameOf(place));
    },
  };
}

/** Folds a batch and commits it; answers the offset to go on from. */
async function processBatch(
  parts: PipelineParts,
  { state, checkpoint, letters }: Assigned,
  given: LogBatch,
): Promise<number> {
  const batch = await lookUpSchemas(parts, given);
  const unfolded = await readBelowCheckpoint(parts, state, checkpoint, batch);
  if (unfolded.length === 0) return batch.records.at(-1)!.offset + 1;
  const expected = state.offsetNext;
  const found = await letters?.of(unfolded);
  const records = unfolded.slice(0, found?.through);
  const replayable = await parts.store.replayable(batch.topic, batch.partition, originsOf(records));
  await recallHighs(parts, state, records);
  const decoded = decodeRecords(parts, batch, records, found?.letters);
  const result = foldBatch(state, decoded, parts.settings, replayable);
  const fresh = result.parked.filter((each) => !found?.letters.get(each.offset)?.has(each.index));
  await parts.parkDeadLetters(batch, records, fresh);
  letters?.noteAppended(fresh.length);
  const deadLettersFrom = letters?.from(state.offsetNext) ?? checkpoint.deadLettersFrom;
  const last = lastFolded(state, records);
  await parts.store.commit({ state, expected, last, deadLettersFrom, result });
  parts.refresher.notify({ caughtUp: state.offsetNext >= batch.highWatermark });
  observe(parts.metrics, batch, state, result);
  refuseToGoOn(batch, result);
  return state.offsetNext;
}

async function loadPartition(parts: PipelineParts, place: TopicPartition): Promise<Assigned> {
  const checkpoint = await parts.store.load(place.topic, place.partition);
  const bounds = await parts.log.bounds(place.topic, place.partition);
  const asked = startOffset(checkpoint);
  const name = `${place.topic}/${place.partition}`;
  if (bounds.start > asked) {
    throw new AiRouterError(
      'log_truncated',
      `${name} starts at offset ${bounds.start}, but the projection goes on from ${asked}`,
    );
  }
  if (bounds.end < checkpoint.offsetNext) {
    throw new AiRouterError(
      'log_recreated',
      `${name} ends at offset ${bounds.end}, below the stored offset ${checkpoint.offsetNext}`,
    );
  }
  const { topic, partition } = place;
  const { keysMax, recentIds, highsKept } = parts;
  const state = partitionState(topic, partition, keysMax, checkpoint, recentIds, highsKept);
  if (state.limit.isPassed() && checkpoint.offsetNext >= checkpoint.deadLetters.allowedTo) {
    throw limitPassed(name, checkpoint.offsetNext);
  }
  const letters = parts.uncommittedLetters?.(place, checkpoint.deadLettersFrom) ?? null;
  return { state, checkpoint, letters };
}

/** Answers the batch, cut where the limit on look-ups lies. */
async function lookUpSchemas(parts: PipelineParts, batch: LogBatch): Promise<LogBatch> {
  const { ids, through } = unknownIds(batch.records, parts.schemas, LOOK_UPS_MAX);
  if (ids.length > 0) await parts.lookUpSchemas(ids);
  return { ...batch, records: batch.records.slice(0, through) };
}

/** Reading begins where the window of recent ids does, or at the last record, to compare it. */
function startOffset(checkpoint: Checkpoint): number {
  return Math.min(
    checkpoint.windowOffset ?? checkpoint.offsetNext,
    checkpoint.last?.offset ?? checkpoint.offsetNext,
  );
}

/** Refills the window from records that are folded already; answers the ones that are not. */
async function readBelowCheckpoint(
  parts: PipelineParts,
  state: PartitionState,
  checkpoint: Checkpoint,
  batch: LogBatch,
): Promise<readonly LogRecord[]> {
  const folded = batch.records.filter((record) => record.offset < state.offsetNext);
  if (batch.fetchOffset >= state.offsetNext || folded.length === 0) return batch.records;
  const [first, last] = [folded[0]!.offset, folded.at(-1)!.offset];
  const parked = await parts.store.parked(batch.topic, batch.partition, first, last);
  for (const record of folded) {
    compareLast(batch, checkpoint.last, record);
    const decoded = decode(record.value, record.headers, parts.schemas);
    rememberRecord(state, record.offset, decoded, parked);
  }
  return batch.records.slice(folded.length);
}

/** Memory holds the highs of the publishers that were heard last: of the others they are read. */
async function recallHighs(
  { store, schemas }: PipelineParts,
  { topic, partition, highs }: PartitionState,
  records: readonly LogRecord[],
): Promise<void> {
  const absent = highs.absent(batchPublishers(records, schemas));
  if (absent.length > 0) highs.recall(await store.highs(topic, partition, absent));
}

function compareLast(batch: LogBatch, last: LastRecord | null, record: LogRecord): void {
  if (record.offset !== last?.offset || recordHash(record) === last.hash) return;
  throw new AiRouterError(
    'log_recreated',
    `record ${batch.topic}/${batch.partition}/${record.offset} is not the one that was folded`,
  );
}

/** One at a time, as they are folded: what was decoded is gone before the next one needs room. */
function* decodeRecords(
  parts: PipelineParts,
  place: TopicPartition,
  records: readonly LogRecord[],
  letters: ReadonlyMap<number, LettersOfRecord> | undefined,
): Generator<FoldRecord> {
  for (const record of records) {
    yield {
      offset: record.offset,
      timestampMs: record.timestampMs,
      decoded: decode(record.value, record.headers, parts.schemas),
      origin: originOf(record.headers),
      verdicts: parts.verdicts?.(place, record.offset) ?? null,
      letters: letters?.get(record.offset) ?? null,
    };
  }
}

const originsOf = (records: readonly LogRecord[]): Origin[] =>
  records.map(({ headers }) => originOf(headers)).filter((origin) => origin !== null);

function lastFolded(state: PartitionState, records: readonly LogRecord[]): LastRecord {
  const last = records.findLast((record) => record.offset < state.offsetNext)!;
  return { offset: last.offset, hash: recordHash(last) };
}

function observe(
  metrics: Metrics,
  batch: LogBatch,
  state: PartitionState,
  { counts }: BatchResult,
): void {
  const events = metrics.counter('events');
  events.inc({ result: 'applied' }, counts.applied);
  events.inc({ result: 'duplicate' }, counts.duplicate);
  events.inc({ result: 'dead_lettered' }, counts.deadLettered);
  events.inc({ result: 'skipped' }, counts.skipped);
  events.inc({ result: 'late' }, counts.late);
  events.inc({ result: 'skewed' }, counts.skewed);
  metrics
    .gauge('lagRecords')
    .set(
      { topic: batch.topic, partition: batch.partition },
      Math.max(0, batch.highWatermark - state.offsetNext),
    );
}

function refuseToGoOn(batch: LogBatch, result: BatchResult): void {
  if (result.stoppedAt === null) return;
  throw limitPassed(`${batch.topic}/${batch.partition}`, result.stoppedAt);
}

function limitPassed(name: string, offset: number): AiRouterError {
  return new AiRouterError(
    'dead_letter_limit',
    `${name} stopped at offset ${offset}: too many records cannot be decoded; ` +
      `look at them with "airouter dlq list" and go on with "airouter dlq allow"`,
  );
}
