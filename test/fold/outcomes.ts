import fc from 'fast-check';
import {
  type FoldedOutcome,
  OPERATIONS,
  type RequestOutcome,
  STATUSES,
} from '../../src/event/outcome.js';

/** 2026-01-01T00:00:00Z: record times in tests start here. */
export const START_MS = 1_767_225_600_000;

export function idOf(n: number): Uint8Array {
  const id = new Uint8Array(16);
  new DataView(id.buffer).setUint32(12, n);
  id[6] = 0x70;
  id[8] = 0x80;
  return id;
}

export function outcome(fields: Partial<RequestOutcome> = {}): RequestOutcome {
  return {
    event_id: idOf(1),
    occurred_at: START_MS,
    tenant: '',
    region: '',
    deployment: '',
    request_id: '',
    attempt: 0,
    final: null,
    hedged: false,
    operation: 'chat',
    model: 'm',
    provider: 'p',
    requested_model: null,
    status: 'success',
    error_type: null,
    http_status: 200,
    stream: false,
    duration_ms: 1000,
    ttft_ms: null,
    input_tokens: 100,
    output_tokens: 10,
    cached_input_tokens: null,
    cache_write_tokens: null,
    reasoning_tokens: null,
    cost_nano_usd: null,
    retry_after_ms: null,
    ratelimit_remaining: null,
    decision: null,
    ...fields,
  };
}

const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.option(arbitrary, { nil: null });

/** Outcomes around `recordMs`: on time, late beyond any retention, and ahead of their record. */
export const anyOutcome = (recordMs: number): fc.Arbitrary<FoldedOutcome> =>
  fc
    .record({
      event_id: fc.integer({ min: 1, max: 200 }).map(idOf),
      occurred_at: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: recordMs - 90_000, max: recordMs + 8_000 }) },
        { weight: 1, arbitrary: fc.integer({ min: recordMs - 40 * 86_400_000, max: recordMs }) },
        { weight: 1, arbitrary: fc.integer({ min: recordMs, max: recordMs + 900_000 }) },
      ),
      tenant: fc.constantFrom('', 'acme', 'globex'),
      model: fc.constantFrom('m1', 'm2', '__proto__'),
      provider: fc.constantFrom('p1', 'p2'),
      attempt: fc.constantFrom(0, 0, 1),
      operation: fc.constantFrom(...OPERATIONS),
      status: fc.constantFrom(...STATUSES),
      error_type: optional(fc.constantFrom('timeout', '503')),
      http_status: optional(fc.constantFrom(200, 429, 500)),
      stream: fc.boolean(),
      duration_ms: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      ttft_ms: optional(fc.integer({ min: 0, max: 5_000 })),
      input_tokens: optional(fc.integer({ min: 0, max: 2 ** 53 - 2 })),
      output_tokens: optional(fc.integer({ min: 0, max: 4_000 })),
      cached_input_tokens: optional(fc.constant(0)),
      cost_nano_usd: optional(fc.integer({ min: 0, max: 2 ** 53 - 2 })),
      retry_after_ms: optional(fc.integer({ min: 0, max: 60_000 })),
      ratelimit_remaining: optional(fc.integer({ min: 0, max: 100 })),
    })
    .map((fields) => outcome(fields));
