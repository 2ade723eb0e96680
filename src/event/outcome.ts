/**
 * The facts that travel through the log. Field names are those of the wire (snake_case), so that
 * one shape goes from HTTP through Avro into the fold without being copied.
 * The field tables with meanings and units are in docs/events.md, made from schemas/avro.
 */

export const STATUSES = [
  'success',
  'error',
  'timeout',
  'rate_limited',
  'cancelled',
  'content_filtered',
  'invalid_request',
  'unauthorized',
  'invalid_response',
] as const;
export type Status = (typeof STATUSES)[number];

export const OPERATIONS = [
  'chat',
  'text_completion',
  'embeddings',
  'generate_content',
  'image',
  'audio',
  'other',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** 16 bytes. */
export type Uuid = Uint8Array;

export interface RequestOutcome {
  event_id: Uuid;
  /** ms since the epoch, emitter's clock, when the attempt ended */
  occurred_at: number;
  tenant: string;
  region: string;
  deployment: string;
  request_id: string;
  attempt: number;
  final: boolean | null;
  hedged: boolean;
  operation: Operation;
  model: string;
  provider: string;
  requested_model: string | null;
  status: Status;
  error_type: string | null;
  http_status: number | null;
  stream: boolean;
  duration_ms: number;
  ttft_ms: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cached_input_tokens: number | null;
  cache_write_tokens: number | null;
  reasoning_tokens: number | null;
  cost_nano_usd: number | null;
  retry_after_ms: number | null;
  ratelimit_remaining: number | null;
  decision: { decision_id: Uuid; rank: number; propensity: number } | null;
}

/** What the fold reads of an outcome: the fields of its reader schema. */
export type FoldedOutcome = Omit<
  RequestOutcome,
  'request_id' | 'final' | 'hedged' | 'requested_model' | 'decision'
>;

export interface OutcomeBatch {
  publisher: Uuid;
  sequence: number;
  outcomes: FoldedOutcome[];
}

export interface Inflight {
  emitter: Uuid;
  offering: string;
  tick: number;
  started: number;
  in_flight: number;
  overdue: number;
  oldest_ms: number;
}

export interface OutcomeSummary {
  id: Uuid;
  occurred_at: number;
  tenant: string;
  region: string;
  deployment: string;
  model: string;
  provider: string;
  total_requests: number;
  successful_requests: number | null;
  failed_requests: number | null;
  duration_ms_mean: number | null;
  cost_nano_usd: number | null;
  total_tokens: number | null;
}

export interface CatalogueModel {
  name: string;
  display_name: string;
  capabilities: string[];
  context_tokens: number | null;
  output_tokens_max: number | null;
  enabled: boolean;
}

export interface CatalogueProvider {
  name: string;
  display_name: string;
  enabled: boolean;
}

export interface CatalogueOffering {
  model: string;
  provider: string;
  deployment: string;
  region: string;
  call_as: string;
  capabilities: string[] | null;
  context_tokens: number | null;
  output_tokens_max: number | null;
  requests_per_minute: number | null;
  tokens_per_minute: number | null;
  weight: number;
  priority: number;
  enabled: boolean;
}

export interface CatalogueAlias {
  name: string;
  /** empty = the alias is removed */
  model: string;
}

/** Nano-USD per million tokens; null = unknown, 0 = free. */
export interface PriceTier {
  above_input_tokens: number;
  input: number | null;
  cached_input: number | null;
  cache_write: number | null;
  output: number | null;
  request: number | null;
}

export interface CataloguePrice {
  model: string;
  provider: string;
  deployment: string;
  valid_from: number;
  source: string;
  tiers: PriceTier[];
}

export interface Policy {
  name: string;
  document: string;
  hash: string;
}

export interface Decision {
  decision_id: Uuid;
  decided_at: number;
  as_of: number;
  tenant: string;
  policy: string;
  policy_hash: string;
  strategy: string;
  algorithm: string;
  state: { generation: string; version: number; vector: Record<string, number[]> };
  request: string;
  request_hashed: boolean;
  unit: 'none' | 'decision' | 'sticky' | 'time_block';
  unit_hash: string;
  eligible: { offering: string; mass: number }[];
  excluded: { offering: string; reason: string }[];
  slate: string[];
  degraded: string[];
}

/** A schema of others, as the log keeps it. */
export interface RegisteredSchema {
  id: number;
  /** Full name of its record; empty where the text is no schema. */
  subject: string;
  schema: string;
}

/** A decoded record, by the name of its schema. `unknown` = a record type that no fold reads. */
export type DecodedRecord =
  | { type: 'RequestOutcome'; value: FoldedOutcome }
  | { type: 'OutcomeBatch'; value: OutcomeBatch }
  | { type: 'Inflight'; value: Inflight }
  | { type: 'OutcomeSummary'; value: OutcomeSummary }
  | { type: 'CatalogueModel'; value: CatalogueModel }
  | { type: 'CatalogueProvider'; value: CatalogueProvider }
  | { type: 'CatalogueOffering'; value: CatalogueOffering }
  | { type: 'CatalogueAlias'; value: CatalogueAlias }
  | { type: 'CataloguePrice'; value: CataloguePrice }
  | { type: 'Policy'; value: Policy }
  | { type: 'Decision'; value: Decision }
  | { type: 'Schema'; value: RegisteredSchema }
  | { type: 'unknown'; value: null };
