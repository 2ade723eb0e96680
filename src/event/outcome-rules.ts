import {
  ATTEMPT,
  BOOLEAN,
  DEPLOYMENT,
  HTTP_STATUS,
  ID,
  INT_FROM_0,
  LONG_FROM_0,
  MODEL,
  nullable,
  OBJECT,
  OFFERING,
  oneOf,
  PROBABILITY,
  PROVIDER,
  REGION,
  type Rule,
  rule,
  SCHEMA_ID,
  SCHEMA_TEXT,
  TIME_MS,
  text,
} from './checks.js';
import {
  type FoldedOutcome,
  type Inflight,
  OPERATIONS,
  type OutcomeSummary,
  type RegisteredSchema,
  type RequestOutcome,
  STATUSES,
} from './outcome.js';

/**
 * What must hold of an outcome wherever it is read. Token classes are not compared with one
 * another: an emitter that counts cached input beside the input still tells the truth about speed
 * and failure, so who subtracts one class from another stops at 0.
 */
export const FOLDED_OUTCOME: readonly Rule<FoldedOutcome>[] = [
  rule('occurred_at', TIME_MS, (it) => it.occurred_at),
  rule('tenant', text(0, 128), (it) => it.tenant),
  rule('region', REGION, (it) => it.region),
  rule('deployment', DEPLOYMENT, (it) => it.deployment),
  rule('attempt', ATTEMPT, (it) => it.attempt),
  rule('model', MODEL, (it) => it.model),
  rule('provider', PROVIDER, (it) => it.provider),
  rule('error_type', nullable(text(0, 64)), (it) => it.error_type),
  rule('http_status', nullable(HTTP_STATUS), (it) => it.http_status),
  rule('duration_ms', INT_FROM_0, (it) => it.duration_ms),
  rule('ttft_ms', nullable(INT_FROM_0), (it) => it.ttft_ms),
  rule('input_tokens', nullable(LONG_FROM_0), (it) => it.input_tokens),
  rule('output_tokens', nullable(LONG_FROM_0), (it) => it.output_tokens),
  rule('cached_input_tokens', nullable(LONG_FROM_0), (it) => it.cached_input_tokens),
  rule('cache_write_tokens', nullable(LONG_FROM_0), (it) => it.cache_write_tokens),
  rule('reasoning_tokens', nullable(LONG_FROM_0), (it) => it.reasoning_tokens),
  rule('cost_nano_usd', nullable(LONG_FROM_0), (it) => it.cost_nano_usd),
  rule('retry_after_ms', nullable(INT_FROM_0), (it) => it.retry_after_ms),
  rule('ratelimit_remaining', nullable(INT_FROM_0), (it) => it.ratelimit_remaining),
];

const NO_ID = new Uint8Array(16);

/**
 * What must hold besides where an outcome is made: what its Avro types see to on the wire, and the
 * fields that the fold does not read.
 */
export const MADE_OUTCOME: readonly Rule<RequestOutcome>[] = [
  rule('event_id', ID, (it) => it.event_id),
  rule('operation', oneOf(OPERATIONS), (it) => it.operation),
  rule('status', oneOf(STATUSES), (it) => it.status),
  rule('stream', BOOLEAN, (it) => it.stream),
  rule('request_id', text(0, 128), (it) => it.request_id),
  rule('final', nullable(BOOLEAN), (it) => it.final),
  rule('hedged', BOOLEAN, (it) => it.hedged),
  rule('requested_model', nullable(text(0, 256)), (it) => it.requested_model),
  rule('decision', nullable(OBJECT), (it) => it.decision),
  // Without a decision there is nothing to check: any value that holds will do.
  rule('decision.decision_id', ID, (it) =>
    it.decision === null ? NO_ID : it.decision.decision_id,
  ),
  rule('decision.rank', INT_FROM_0, (it) => (it.decision === null ? 0 : it.decision.rank)),
  rule('decision.propensity', PROBABILITY, (it) =>
    it.decision === null ? 0 : it.decision.propensity,
  ),
];

export const INFLIGHT: readonly Rule<Inflight>[] = [
  rule('offering', OFFERING, (it) => it.offering),
  rule('tick', LONG_FROM_0, (it) => it.tick),
  rule('started', INT_FROM_0, (it) => it.started),
  rule('in_flight', INT_FROM_0, (it) => it.in_flight),
  rule('overdue', INT_FROM_0, (it) => it.overdue),
  rule('oldest_ms', INT_FROM_0, (it) => it.oldest_ms),
];

export const SCHEMA: readonly Rule<RegisteredSchema>[] = [
  rule('id', SCHEMA_ID, (it) => it.id),
  rule('subject', text(0, 256), (it) => it.subject),
  rule('schema', SCHEMA_TEXT, (it) => it.schema),
];

export const SUMMARY: readonly Rule<OutcomeSummary>[] = [
  rule('occurred_at', TIME_MS, (it) => it.occurred_at),
  rule('tenant', text(0, 128), (it) => it.tenant),
  rule('region', REGION, (it) => it.region),
  rule('deployment', DEPLOYMENT, (it) => it.deployment),
  rule('model', MODEL, (it) => it.model),
  rule('provider', PROVIDER, (it) => it.provider),
  rule('total_requests', LONG_FROM_0, (it) => it.total_requests),
  rule('successful_requests', nullable(LONG_FROM_0), (it) => it.successful_requests),
  rule('failed_requests', nullable(LONG_FROM_0), (it) => it.failed_requests),
  rule('duration_ms_mean', nullable(LONG_FROM_0), (it) => it.duration_ms_mean),
  rule('cost_nano_usd', nullable(LONG_FROM_0), (it) => it.cost_nano_usd),
  rule('total_tokens', nullable(LONG_FROM_0), (it) => it.total_tokens),
];
