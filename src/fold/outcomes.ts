import type { FoldedOutcome, OutcomeBatch } from '../event/outcome.js';
import { brokenRule } from '../event/rules.js';
import { formatUuid } from '../event/uuid.js';
import { type FoldContext, parksEvent, type Verdict, verdictOn } from './context.js';
import { type Origin, placeText } from './origin.js';
import {
  addErrorRow,
  addLatencies,
  addTickRow,
  addToMinute,
  addUsageRow,
  seriesRows,
} from './outcome-rows.js';

/** More than this ahead of its record, an event counts at the record's time. */
const SKEW_MAX_MS = 5 * 60_000;

/** An event counts in a tick only if it ended within these bounds of its record's time. */
const TICK_BEFORE_MS = 60_000;
/** And no more than a tick ahead: clocks differ by that much. */
const TICK_AFTER_MS = 5_000;

/** A batch of our own publishers: rule (a) judges it whole, rule (b) its events. */
export function foldBatchOfOutcomes(context: FoldContext, batch: OutcomeBatch): void {
  const { state, result } = context;
  const publisher = formatUuid(batch.publisher);
  const isNew = state.highs.advance(
    publisher,
    batch.sequence,
    context.recordMs,
    state.highestRecordMs!,
  );
  if (isNew) {
    batch.outcomes.forEach((outcome, index) => {
      foldOutcome(context, outcome, index);
    });
    return;
  }
  result.counts.read += batch.outcomes.length;
  result.counts.duplicate += batch.outcomes.length;
  for (const outcome of batch.outcomes) state.recent.add(outcome.event_id, context.offset);
}

/** A record of any other producer: one event. */
export function foldSingleOutcome(context: FoldContext, outcome: FoldedOutcome): void {
  foldOutcome(context, outcome, 0);
}

/**
 * A replayed dead letter: neither duplicate rule judges it, it moves no high, and it counts once
 * for its place, only if that place was parked in this partition and has no counted copy yet.
 */
export function foldReplay(
  context: FoldContext,
  outcomes: readonly FoldedOutcome[],
  origin: Origin,
): void {
  const { state, result, replayable } = context;
  const place = placeText(origin.offset, origin.index);
  const isHere = origin.topic === state.topic && origin.partition === state.partition;
  if (!isHere || !replayable.delete(place)) {
    result.counts.read += outcomes.length;
    result.counts.duplicate += outcomes.length;
    for (const outcome of outcomes) state.recent.add(outcome.event_id, context.offset);
    return;
  }
  result.replayed.push(place);
  outcomes.forEach((outcome, index) => {
    if (parksEvent(context, index, judge, outcome)) return;
    state.recent.add(outcome.event_id, context.offset);
    countApplied(context, outcome);
  });
}

function foldOutcome(context: FoldContext, outcome: FoldedOutcome, index: number): void {
  const { state, result } = context;
  if (parksEvent(context, index, judge, outcome)) return;
  if (state.recent.addAndTell(outcome.event_id, context.offset)) {
    result.counts.read += 1;
    result.counts.duplicate += 1;
    return;
  }
  countApplied(context, outcome);
}

const judge = (outcome: FoldedOutcome): Verdict | null => verdictOn(brokenRule(outcome));

function countApplied(context: FoldContext, outcome: FoldedOutcome): void {
  context.result.counts.read += 1;
  context.result.counts.applied += 1;
  applyOutcome(context, outcome);
}

function applyOutcome(context: FoldContext, outcome: FoldedOutcome): void {
  const { settings, result, recordMs } = context;
  const rows = context.index.of(outcome, recordMs);
  const age = recordMs - outcome.occurred_at;
  if (age <= TICK_BEFORE_MS && age >= -TICK_AFTER_MS) {
    addTickRow(context, outcome, rows);
  }
  if (age < -SKEW_MAX_MS) result.counts.skewed += 1;
  const atMs = age < -SKEW_MAX_MS ? recordMs : outcome.occurred_at;
  const minute = Math.floor(atMs / 60_000);
  if (minute < Math.floor((recordMs - settings.minuteRetentionMs) / 60_000)) {
    result.counts.late += 1;
    return;
  }
  const series = seriesRows(context, outcome, rows, minute);
  addToMinute(series.minute, outcome);
  addLatencies(context, outcome, series);
  addUsageRow(context, outcome, rows, minute);
  if (outcome.status !== 'success') addErrorRow(context, outcome, rows.offering, minute);
}
