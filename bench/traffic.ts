import { createHash } from 'node:crypto';
import { type Arrival, readArrivals } from '../src/demo/traces.js';
import type { EncodedBatch } from '../src/event/encode.js';
import { assembleBatch, encodeOutcomeBody } from '../src/event/encode.js';
import type { RequestOutcome, Status } from '../src/event/outcome.js';
import { indexOf, randomFrom } from './random.js';

/**
 * SYNTHETIC outcomes at a steady 1,000 a second: sizes are those of the real traces, everything
 * else is drawn from a seed. 40 offerings of unequal share, 8 tenants, 6 % that are no success.
 */
export const OFFERINGS: readonly { model: string; provider: string; region: string }[] = Array.from(
  { length: 40 },
  (_, index) => ({
    model: `vendor-${index % 5}/model-${index % 10}`,
    provider: ['openai', 'azure.ai.openai', 'aws.bedrock', 'gcp.vertex_ai'][index % 4]!,
    region: ['', 'eu', 'us'][index % 3]!,
  }),
);

/** 2026-01-01T00:00:00Z */
export const START_MS = 1_767_225_600_000;
/** As a publisher sends them at that rate, with its default linger. */
export const EVENTS_A_BATCH = 50;

const SHARES = OFFERINGS.map((_, index) => 1 / (index + 1));
const SHARES_TOTAL = SHARES.reduce((sum, share) => sum + share, 0);
const FAILURES: readonly [Status, string, number | null][] = [
  ['error', '503', 503],
  ['timeout', 'timeout', null],
  ['rate_limited', '429', 429],
  ['cancelled', 'cancelled', null],
];

let arrivals: Arrival[] | null = null;

/** Events number `from` to `from + count - 1` of the one endless sequence. */
export function outcomes(from: number, count: number): RequestOutcome[] {
  arrivals ??= readArrivals();
  const sizes = arrivals;
  return Array.from({ length: count }, (_, i) =>
    outcomeOf(from + i, sizes[(from + i) % sizes.length]!),
  );
}

function outcomeOf(index: number, { inputTokens, outputTokens }: Arrival): RequestOutcome {
  const random = randomFrom(index + 1);
  random();
  const offering = OFFERINGS[indexOf(random(), SHARES, SHARES_TOTAL)]!;
  const failure = random() < 0.06 ? FAILURES[Math.floor(random() * FAILURES.length)]! : null;
  const stream = random() < 0.6;
  const firstTokenMs = Math.floor(150 + random() * 600);
  const durationMs = firstTokenMs + Math.floor(outputTokens * (5 + random() * 20));
  const answered = failure === null;
  return {
    event_id: idOf('event', index),
    occurred_at: START_MS + index,
    tenant: `tenant-${Math.floor(random() * 8)}`,
    region: offering.region,
    deployment: '',
    request_id: `request-${index}`,
    attempt: random() < 0.03 ? 1 : 0,
    final: true,
    hedged: false,
    operation: 'chat',
    model: offering.model,
    provider: offering.provider,
    requested_model: null,
    status: failure?.[0] ?? 'success',
    error_type: failure?.[1] ?? null,
    http_status: failure === null ? 200 : failure[2],
    stream,
    duration_ms: failure?.[0] === 'timeout' ? 60_000 : durationMs,
    ttft_ms: answered && stream ? firstTokenMs : null,
    input_tokens: inputTokens,
    output_tokens: answered ? outputTokens : null,
    cached_input_tokens: random() < 0.3 ? Math.floor(inputTokens / 2) : null,
    cache_write_tokens: null,
    reasoning_tokens: null,
    cost_nano_usd: random() < 0.5 ? inputTokens * 2_500 + outputTokens * 10_000 : null,
    retry_after_ms: failure?.[0] === 'rate_limited' ? 2_000 : null,
    ratelimit_remaining: random() < 0.2 ? Math.floor(random() * 1_000) : null,
    decision: { decision_id: idOf('decision', index), rank: 0, propensity: 0.5 },
  };
}

/** 16 bytes in the shape of a UUIDv7. */
function idOf(kind: string, index: number): Buffer {
  const id = createHash('md5').update(`${kind} ${index}`).digest();
  id[6] = (id[6]! & 0x0f) | 0x70;
  id[8] = (id[8]! & 0x3f) | 0x80;
  return id;
}

const PUBLISHER = idOf('publisher', 0);

/** The batches of one publisher, from sequence `first` on. */
export function batchesOf(events: readonly RequestOutcome[], first: number): EncodedBatch[] {
  const batches: EncodedBatch[] = [];
  for (let at = 0; at < events.length; at += EVENTS_A_BATCH) {
    const bodies = events.slice(at, at + EVENTS_A_BATCH).map(encodeOutcomeBody);
    batches.push(assembleBatch(PUBLISHER, first + batches.length, bodies));
  }
  return batches;
}
