import { inputClassOf } from '../event/input-class.js';
import { type FoldedOutcome, STATUSES } from '../event/outcome.js';
import type { FoldContext } from './context.js';
import { add, cellOf, countBucket, keepGreatest, keepLeast, type Row } from './delta.js';
import { bucketOf } from './histogram.js';
import { generationOf, paceOf, sizeOrTypical, timePerOutputTokenUs } from './reference.js';
import {
  type LatencyMetric,
  type OfferingRows,
  type SeriesRows,
  seriesNumber,
  usageNumber,
} from './row-index.js';

const TICK_MS = 5_000;

const at = {
  tick: {
    events: cellOf('outcome_tick', 'events'),
    pace: cellOf('outcome_tick', 'pace_count'),
    retryUntil: cellOf('outcome_tick', 'retry_until_ms'),
    remaining: cellOf('outcome_tick', 'ratelimit_remaining'),
    generation: cellOf('outcome_tick', 'generation_sum'),
  },
  minute: {
    events: cellOf('outcome_minute', 'events'),
    pace: cellOf('outcome_minute', 'pace_count'),
    input: cellOf('outcome_minute', 'input_tokens_known'),
    output: cellOf('outcome_minute', 'output_tokens_known'),
    generation: cellOf('outcome_minute', 'generation_sum'),
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
export function addTickRow(
  context: FoldContext,
  outcome: FoldedOutcome,
  { ticks, offering }: OfferingRows,
): void {
  const tick = Math.floor(context.recordMs / TICK_MS);
  const number = seriesNumber(outcome, tick);
  let row = ticks.get(number);
  if (row === undefined) {
    const { partition } = context.state;
    const key = [tick, partition, offering, outcome.stream, outcome.attempt > 0];
    row = context.result.delta.row('outcome_tick', key);
    ticks.set(number, row);
  }
  countStatus(row, at.tick.events, outcome);
  addPace(row, at.tick, outcome);
  if (outcome.retry_after_ms !== null) {
    keepGreatest(row, at.tick.retryUntil, outcome.occurred_at + outcome.retry_after_ms);
  }
  if (outcome.ratelimit_remaining !== null) {
    keepLeast(row, at.tick.remaining, outcome.ratelimit_remaining);
  }
}

/** The rows of an outcome's minute and series. Making them marks its hot key and its hour. */
export function seriesRows(
  context: FoldContext,
  outcome: FoldedOutcome,
  { series, offering }: OfferingRows,
  minute: number,
): SeriesRows {
  const number = seriesNumber(outcome, minute);
  const known = series.get(number);
  if (known !== undefined) return known;
  const { operation, stream, attempt } = outcome;
  const key = [minute, context.state.partition, offering, operation, stream, attempt > 0];
  const made: SeriesRows = {
    key,
    minute: context.result.delta.row('outcome_minute', key),
    latency: { duration_ms: null, ttft_ms: null, time_per_output_token_us: null },
  };
  series.set(number, made);
  const { marks, dirtyHours } = context.result;
  marks.set(offering, Math.max(minute, marks.get(offering) ?? minute));
  dirtyHours.add(Math.floor(minute / 60));
  return made;
}

export function addToMinute(row: Row, outcome: FoldedOutcome): void {
  countStatus(row, at.minute.events, outcome);
  addPace(row, at.minute, outcome);
  addKnown(row, at.minute.input, outcome.input_tokens);
  addKnown(row, at.minute.output, outcome.output_tokens);
}

/** A row for each metric that occurred: successes in the histogram, timeouts as censored. */
export function addLatencies(
  context: FoldContext,
  outcome: FoldedOutcome,
  series: SeriesRows,
): void {
  if (outcome.status === 'timeout') {
    add(latencyRow(context, series, 'duration_ms'), at.latency.censored, 1);
    if (outcome.stream && outcome.ttft_ms === null) {
      add(latencyRow(context, series, 'ttft_ms'), at.latency.censored, 1);
    }
    return;
  }
  if (outcome.status !== 'success') return;
  observe(latencyRow(context, series, 'duration_ms'), outcome.duration_ms);
  if (outcome.ttft_ms !== null) {
    observe(latencyRow(context, series, 'ttft_ms'), outcome.ttft_ms);
  }
  const timePerOutputToken = timePerOutputTokenUs(outcome);
  if (timePerOutputToken !== null) {
    observe(latencyRow(context, series, 'time_per_output_token_us'), timePerOutputToken);
  }
}

function latencyRow(context: FoldContext, series: SeriesRows, metric: LatencyMetric): Row {
  let row = series.latency[metric];
  if (row === null) {
    row = context.result.delta.row('latency_minute', [...series.key, metric]);
    series.latency[metric] = row;
  }
  return row;
}

export function addUsageRow(
  context: FoldContext,
  outcome: FoldedOutcome,
  rows: OfferingRows,
  minute: number,
): void {
  const row = usageRow(context, outcome, rows, minute);
  add(row, at.usage.events, 1);
  if (outcome.cost_nano_usd !== null) {
    addKnown(row, at.usage.cost, outcome.cost_nano_usd);
    return;
  }
  add(row, at.usage.uncosted, 1);
  if (outcome.input_tokens === null) add(row, at.usage.inputUnknown, 1);
  if (outcome.output_tokens === null) add(row, at.usage.outputUnknown, 1);
  addIfKnown(row, at.usage.tokens, outcome.input_tokens);
  addIfKnown(row, at.usage.tokens + 1, outcome.cached_input_tokens);
  addIfKnown(row, at.usage.tokens + 2, outcome.cache_write_tokens);
  addIfKnown(row, at.usage.tokens + 3, outcome.output_tokens);
  addIfKnown(row, at.usage.tokens + 4, outcome.reasoning_tokens);
}

function usageRow(
  context: FoldContext,
  outcome: FoldedOutcome,
  { usage }: OfferingRows,
  minute: number,
): Row {
  const { tenant, model, provider, deployment, operation } = outcome;
  const inputClass = inputClassOf(outcome.input_tokens);
  const number = usageNumber(outcome, minute, inputClass);
  let ofTenant = usage.get(tenant);
  if (ofTenant === undefined) {
    ofTenant = new Map();
    usage.set(tenant, ofTenant);
  }
  let row = ofTenant.get(number);
  if (row === undefined) {
    const { state, recordMs, result } = context;
    const own = [tenant, model, provider, deployment];
    const isAdmitted = state.admission.admits('usage', own.join('\u0001'), recordMs);
    const payer = isAdmitted ? own : ['', '', '', ''];
    const key = [minute, state.partition, ...payer, operation, inputClass];
    row = result.delta.row('usage_minute', key);
    ofTenant.set(number, row);
  }
  return row;
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

function countStatus(row: Row, events: number, outcome: FoldedOutcome): void {
  add(row, events, 1);
  add(row, events + STATUS_OFFSET[outcome.status]!, 1);
}

function addPace(
  row: Row,
  first: { pace: number; generation: number },
  outcome: FoldedOutcome,
): void {
  if (outcome.status !== 'success') return;
  const size = sizeOrTypical(outcome.input_tokens, outcome.output_tokens);
  const pace = paceOf(outcome.duration_ms, ...size);
  const generation = generationOf(...size);
  add(row, first.pace, 1);
  add(row, first.pace + 1, pace);
  add(row, first.pace + 2, pace * pace);
  add(row, first.generation, generation);
  add(row, first.generation + 1, generation * generation);
  add(row, first.generation + 2, generation * pace);
}

/** A quantity that may be unknown: how often it was known, and its sum. */
function addKnown(row: Row, first: number, value: number | null): void {
  if (value === null) return;
  add(row, first, 1);
  add(row, first + 1, value);
}

function addIfKnown(row: Row, index: number, value: number | null): void {
  if (value !== null) add(row, index, value);
}

function observe(row: Row, value: number): void {
  add(row, at.latency.observations, 1);
  add(row, at.latency.total, value);
  countBucket(row, at.latency.histogram, bucketOf(value));
}
