import type { Operation, Status } from '../event/outcome.js';

/** Answer of `POST /v1/route`, or the client's own order where there was none. */
export interface RouteAnswer {
  /** Null where the client answered itself. */
  decision_id: string | null;
  strategy: string;
  candidates: RouteCandidate[];
  explored: boolean;
  /** What is amiss with the answer; `client_fallback` where the client answered itself. */
  degraded: string[];
  /** Null for an answer of the router; else why there was none. */
  fallback: { reason: string } | null;
  /** Further fields of the router's answer, such as `state`. */
  [field: string]: unknown;
}

export interface RouteCandidate {
  /** Key text of the offering: what `begin` takes. */
  offering: string;
  model: string;
  provider: string;
  deployment: string;
  region: string;
  /** The provider's own id of the model. */
  call_as: string;
  rank: number;
  /** Null where the client answered itself: nothing was drawn. */
  propensity: number | null;
  [field: string]: unknown;
}

/** An offering that can be called without asking the router. */
export interface FallbackOffering {
  provider: string;
  deployment?: string;
  region?: string;
  /** The provider's own id of the model; by default the model's name. */
  call_as?: string;
}

/** How one attempt ended, in the field names of the event; what is absent is unknown. */
export interface OutcomeInput {
  /** UUID text; minted where absent. */
  event_id?: string;
  /** ms since the epoch, when the attempt ended; now where absent. */
  occurred_at?: number;
  model: string;
  provider: string;
  deployment?: string;
  region?: string;
  tenant?: string;
  request_id?: string;
  attempt?: number;
  final?: boolean | null;
  hedged?: boolean;
  operation?: Operation;
  requested_model?: string | null;
  /** Follows from `http_status` where absent. */
  status?: Status;
  http_status?: number | null;
  error_type?: string | null;
  stream?: boolean;
  duration_ms: number;
  ttft_ms?: number | null;
  input_tokens?: number | null;
  output_tokens?: number | null;
  cached_input_tokens?: number | null;
  cache_write_tokens?: number | null;
  reasoning_tokens?: number | null;
  cost_nano_usd?: number | null;
  retry_after_ms?: number | null;
  ratelimit_remaining?: number | null;
  decision?: { decision_id: string; rank: number; propensity: number } | null;
}
