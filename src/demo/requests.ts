import { formatUuid } from '../event/uuid.js';
import { idFrom, pick, unit, words } from './draws.js';
import type { Arrival, TraceKind } from './traces.js';

/**
 * SYNTHETIC: what the arrivals of the trace ask for. Time and sizes are the trace's; model, tenant
 * and streaming are drawn.
 */
export interface DemoRequest {
  requestId: string;
  model: string;
  tenant: string;
  stream: boolean;
  operation: 'chat';
  inputTokens: number;
  outputTokens: number;
}

type Mix = readonly { item: string; weight: number }[];

/** Each of these models is had from three providers or more. */
const MODELS: Readonly<Record<TraceKind, Mix>> = {
  code: [
    { item: 'gpt-oss-120b', weight: 22 },
    { item: 'claude-sonnet-4', weight: 18 },
    { item: 'llama-3.3-70b', weight: 16 },
    { item: 'gpt-4.1-mini', weight: 14 },
    { item: 'qwen3-32b', weight: 12 },
    { item: 'gemini-2.5-flash', weight: 10 },
    { item: 'gpt-4o', weight: 8 },
  ],
  conv: [
    { item: 'llama-3.3-70b', weight: 20 },
    { item: 'gpt-4o-mini', weight: 16 },
    { item: 'llama-3.1-8b', weight: 14 },
    { item: 'gpt-oss-120b', weight: 12 },
    { item: 'gemini-2.5-flash', weight: 12 },
    { item: 'llama-4-maverick', weight: 10 },
    { item: 'gpt-4o', weight: 8 },
    { item: 'claude-sonnet-4', weight: 8 },
  ],
};

/** Models that requests ask for, in name order. */
export const DEMO_MODELS: readonly string[] = [
  ...new Set(Object.values(MODELS).flatMap((mix) => mix.map(({ item }) => item))),
].sort();

const TENANTS: Mix = [
  { item: 'acme', weight: 40 },
  { item: 'globex', weight: 25 },
  { item: 'initech', weight: 20 },
  { item: 'umbrella', weight: 10 },
  { item: 'hooli', weight: 5 },
];

const STREAM_SHARE: Readonly<Record<TraceKind, number>> = { code: 0.4, conv: 0.8 };

/** The request of an arrival; `index` is its place in the merged trace. */
export function requestOf(seed: string, index: number, arrival: Arrival): DemoRequest {
  const [model, tenant, stream] = words(seed, 'request', index) as [number, number, number];
  return {
    requestId: formatUuid(idFrom(seed, 'request', index)),
    model: pick(model, MODELS[arrival.kind]),
    tenant: pick(tenant, TENANTS),
    stream: unit(stream) < STREAM_SHARE[arrival.kind],
    operation: 'chat',
    inputTokens: arrival.inputTokens,
    outputTokens: arrival.outputTokens,
  };
}

/** How it is asked for: the body of `POST /v1/route`. */
export function routeBodyOf(request: DemoRequest): object {
  return {
    model: request.model,
    operation: request.operation,
    stream: request.stream,
    request_id: request.requestId,
    // What a caller knows beforehand: the size of the input.
    estimate: { input_tokens: request.inputTokens },
    limit: 3,
  };
}
