import type { ErrorCode } from '../errors.js';
import type { BrokenRule } from '../event/rules.js';
import { Delta } from './delta.js';
import { placeText } from './origin.js';
import type { PartitionState } from './partition-state.js';
import type { RowIndex } from './row-index.js';

/** A record (index -1) or one event of it that is parked. */
export interface ParkedPlace {
  offset: number;
  index: number;
  code: ErrorCode;
  /** One sentence that names field and rule, without any value. */
  reason: string;
}

/** Why a record or an event is not folded. */
export type Verdict = Pick<ParkedPlace, 'code' | 'reason'>;

/** Events of a batch by what became of them: read = applied + duplicate + deadLettered + skipped. */
export interface BatchCounts {
  read: number;
  applied: number;
  duplicate: number;
  deadLettered: number;
  skipped: number;
  /** Applied, but older than the minute tables keep. */
  late: number;
  /** Applied at the record's time, since their own was too far ahead. */
  skewed: number;
}

export interface FoldSettings {
  tickRetentionMs: number;
  minuteRetentionMs: number;
}

/** What a batch of records of one partition comes to. */
export interface BatchResult {
  delta: Delta;
  counts: BatchCounts;
  parked: ParkedPlace[];
  /** Places, as `offset/index`, whose replayed copy counted in this batch. */
  replayed: string[];
  /**
   * Hot keys whose values changed: key texts of offerings with their newest minute, or `models`,
   * `providers`, `policies` with null.
   */
  marks: Map<string, number | null>;
  /** Hours (floor of minute / 60) whose minutes changed. */
  dirtyHours: Set<number>;
  /** The dead-letter limit was passed: the partition stops before this offset. */
  stoppedAt: number | null;
}

/** One record's surroundings, handed to the fold of its kind. */
export interface FoldContext {
  state: PartitionState;
  settings: FoldSettings;
  result: BatchResult;
  offset: number;
  recordMs: number;
  /** Parked places, as `offset/index`, whose copy may still count; a copy that counts takes it. */
  replayable: Set<string>;
  /** Finds the rows that earlier outcomes of the batch have changed. */
  index: RowIndex;
  /** By index, where an earlier fold of the same version has judged the record; null = judge it. */
  verdicts: ReadonlyMap<number, Verdict> | null;
  /** By index, what an earlier attempt has parked; the rest is judged. */
  letters: ReadonlyMap<number, Verdict> | null;
}

/**
 * Parks an event that must not be folded; answers whether it did. Where an earlier fold of the same
 * version has judged, its verdict stands: a rebuild makes what was made, whatever has been learnt
 * since. What an attempt without a commit has parked stays parked, and the rest it may not have come
 * to.
 */
export function parksEvent<T>(
  context: FoldContext,
  index: number,
  judge: (event: T) => Verdict | null,
  event: T,
): boolean {
  const { verdicts, letters } = context;
  const verdict =
    verdicts === null ? (letters?.get(index) ?? judge(event)) : (verdicts.get(index) ?? null);
  if (verdict === null) return false;
  park(context, index, verdict.code, verdict.reason);
  return true;
}

export const verdictOn = (broken: BrokenRule | null): Verdict | null =>
  broken === null
    ? null
    : { code: 'rule_broken', reason: `${broken.field} must be ${broken.rule}` };

/** Parks a whole record (index -1) or one event of it; it counts as one event. */
export function park(context: FoldContext, index: number, code: ErrorCode, reason: string): void {
  context.result.parked.push({ offset: context.offset, index, code, reason });
  context.replayable.add(placeText(context.offset, index));
  context.result.counts.read += 1;
  context.result.counts.deadLettered += 1;
}

export function emptyResult(): BatchResult {
  return {
    delta: new Delta(),
    counts: { read: 0, applied: 0, duplicate: 0, deadLettered: 0, skipped: 0, late: 0, skewed: 0 },
    parked: [],
    replayed: [],
    marks: new Map(),
    dirtyHours: new Set(),
    stoppedAt: null,
  };
}
