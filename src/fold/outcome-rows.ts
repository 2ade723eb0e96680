import { inputClassOf } from '../event/input-class.js';
import { type FoldedOutcome, STATUSES } from '../event/outcome.js';
import type { FoldContext } from './context.js';
import { add, cellOf, countBucket, keepGreatest, keepLeast, type Row } from './delta.js';
import { bucketOf } from './histogram.js';
import { paceOf } from './reference.js';

const TICK_MS = 5_000;

const at = {
  tick: {
    events: cellOf('outcome_tick', 'events'),
    pace: cellOf('outcome_tick', 'pace_count'),
    retryUntil: cellOf('outcome_tick', 'retry_until_ms'),
    remaining: cellOf('outcome_tick', 'ratelimit_remaining'),
  },
  minute: {
    events: cellOf('outcome_minute', 'events'),
    pace: cellOf('outcome_minute', 'pace_count'),
    input: cellOf('outcome_minute', 'input_tokens_known'),
    output: cellOf('outcome_minute', 'output_tokens_known'),
  },
  latency: {
    observations: cellOf('latency_minute', 'observations'),
    total: cellOf('latency_minute', 'total'),
    censored: cellOf('latency_minute', 'censored'),
    histogram: cellOf('latency_minute', 'histogram'),
  },
  usage: {
    events: cellOf('usage_minute', 'events'),
    cost: cellOf('usage_minute', 'cost_nano_usd_known'),
    uncosted: cellOf('usage_minute', 'uncosted_events'),
    inputUnknown: cellOf('usage_minute', 'uncosted_input_unknown'),
    outputUnknown: cellOf('usage_minute', 'uncosted_output_unknown'),
    tokens: cellOf('usage_minute', 'uncosted_input_tokens'),
  },
  error: { events: cellOf('outcome_error_minute', 'events') },
};

/** Position of a status behind the `events` column. */
const STATUS_OFFSET = Object.fromEntries(STATUSES.map((status, index) => [status, index + 1]));

/** Ticks are of record time: what breakers read says when it became visible. */
export function addTickRow(context: FoldContext, outcome: FoldedOutcome, offering: string): void {
  const tick = Math.floor(context.recordMs / TICK_MS);
  const row = context.result.delta.row('outcome_tick', [
    tick,
    context.state.partition,
    offering,
    outcome.stream,
    outcome.attempt > 0,
  ]);
  countStatus(row, at.tick.events, outcome);
  addPace(row, at.tick.pace, outcome);
  if (outcome.retry_after_ms !== null) {
    keepGreatest(row, at.tick.retryUntil, outcome.occurred_at + outcome.retry_after_ms);
  }
  if (outcome.ratelimit_remaining !== null) {
    keepLeast(row, at.tick.remaining, outcome.ratelimit_remaining);
  }
}

export function addMinuteRow(
  context: FoldContext,
  outcome: FoldedOutcome,
  offering: string,
  minute: number,
): void {
  const row = context.result.delta.row(
    'outcome_minute',
    seriesKey(context, outcome, offering, minute),
  );
  countStatus(row, at.minute.events, outcome);
  addPace(row, at.minute.pace, outcome);
  addKnown(row, at.minute.input, outcome.input_tokens);
  addKnown(row, at.minute.output, outcome.output_tokens);
}

/** A row for each metric that occurred: successes in the histogram, timeouts as censored. */
export function addLatencyRows(
  context: FoldContext,
  outcome: FoldedOutcome,
  offering: string,
  minute: number,
): void {
  const key = seriesKey(context, outcome, offering, minute);
  const rowOf = (metric: string): Row =>
    context.result.delta.row('latency_minute', [...key, metric]);
  if (outcome.status === 'timeout') {
    add(rowOf('duration_ms'), at.latency.censored, 1);
    if (outcome.stream && outcome.ttft_ms === null) add(rowOf('ttft_ms'), at.latency.censored, 1);
    return;
  }
  if (outcome.status !== 'success') return;
  observe(rowOf('duration_ms'), outcome.duration_ms);
  if (outcome.ttft_ms !== null) observe(rowOf('ttft_ms'), outcome.ttft_ms);
  const timePerOutputToken = timePerOutputTokenUs(outcome);
  if (timePerOutputToken !== null) {
    observe(rowOf('time_per_output_token_us'), timePerOutputToken);
  }
}

/**
 * µs for each output token after the first where the first one's time is known, else for each
 * output token; null where the tokens are not known.
 */
export function timePerOutputTokenUs(outcome: FoldedOutcome): number | null {
  const { output_tokens: tokens, duration_ms: duration, ttft_ms: ttft } = outcome;
  if (tokens === null || tokens === 0) return null;
  if (ttft === null) return Math.floor((duration * 1000) / tokens);
  if (tokens === 1) return null;
  return Math.floor((Math.max(0, duration - ttft) * 1000) / (tokens - 1));
}

export function addUsageRow(context: FoldContext, outcome: FoldedOutcome, minute: number): void {
  const { tenant, model, provider, deployment, operation } = outcome;
  const own = [tenant, model, provider, deployment];
  const isAdmitted = context.state.admission.admits('usage', own.join('\u0001'), context.recordMs);
  const row = context.result.delta.row('usage_minute', [
    minute,
    context.state.partition,
    ...(isAdmitted ? own : ['', '', '', '']),
    operation,
    inputClassOf(outcome.input_tokens),
  ]);
  add(row, at.usage.events, 1);
  if (outcome.cost_nano_usd !== null) {
    addKnown(row, at.usage.cost, outcome.cost_nano_usd);
    return;
  }
  add(row, at.usage.uncosted, 1);
  if (outcome.input_tokens === null) add(row, at.usage.inputUnknown, 1);
  if (outcome.output_tokens === null) add(row, at.usage.outputUnknown, 1);
  const classes = [
    outcome.input_tokens,
    outcome.cached_input_tokens,
    outcome.cache_write_tokens,
    outcome.output_tokens,
    outcome.reasoning_tokens,
  ];
  classes.forEach((tokens, index) => {
    if (tokens !== null) add(row, at.usage.tokens + index, tokens);
  });
}

/** Error types are the emitter's words: beyond the limit on keys they count as `other`. */
export function addErrorRow(
  context: FoldContext,
  outcome: FoldedOutcome,
  offering: string,
  minute: number,
): void {
  const errorType = outcome.error_type ?? '';
  const isAdmitted = context.state.admission.admits('error', errorType, context.recordMs);
  const row = context.result.delta.row('outcome_error_minute', [
    minute,
    context.state.partition,
    offering,
    outcome.status,
    isAdmitted ? errorType : 'other',
    outcome.http_status ?? 0,
  ]);
  add(row, at.error.events, 1);
}

function seriesKey(
  context: FoldContext,
  outcome: FoldedOutcome,
  offering: string,
  minute: number,
): (string | number | boolean)[] {
  return [
    minute,
    context.state.partition,
    offering,
    outcome.operation,
    outcome.stream,
    outcome.attempt > 0,
  ];
}

function countStatus(row: Row, events: number, outcome: FoldedOutcome): void {
  add(row, events, 1);
  add(row, events + STATUS_OFFSET[outcome.status]!, 1);
}

function addPace(row: Row, first: number, outcome: FoldedOutcome): void {
  if (outcome.status !== 'success') return;
  const pace = paceOf(outcome.duration_ms, outcome.input_tokens, outcome.output_tokens);
  add(row, first, 1);
  add(row, first + 1, pace);
  add(row, first + 2, pace * pace);
}

/** A quantity that may be unknown: how often it was known, and its sum. */
function addKnown(row: Row, first: number, value: number | null): void {
  if (value === null) return;
  add(row, first, 1);
  add(row, first + 1, value);
}

function observe(row: Row, value: number): void {
  add(row, at.latency.observations, 1);
  add(row, at.latency.total, value);
  countBucket(row, at.latency.histogram, bucketOf(value));
}
