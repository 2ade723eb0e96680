import fc from 'fast-check';
import { offeringKey } from '../../src/event/offering-key.js';
import {
  type CataloguePrice,
  type Decision,
  type Inflight,
  OPERATIONS,
  type OutcomeSummary,
  type RequestOutcome,
  STATUSES,
} from '../../src/event/outcome.js';
import { providerName } from '../../src/event/provider.js';

/** Facts that hold every rule, edges included. */

const LONG_MAX = 2 ** 53 - 2;
const INT_MAX = 2 ** 31 - 1;
const TIME_MS_MAX = 253_402_300_799_999;

export const id = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes): Uint8Array => Buffer.from(bytes));
export const long = edged(LONG_MAX);
export const int = edged(INT_MAX);
const timeMs = edged(TIME_MS_MAX);
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

export function text(min: number, max: number): fc.Arbitrary<string> {
  const special = ['__proto__', '%', '|', '{}', '\u0001\u009f', '😀', 'é', 'constructor', '\ufffe'];
  return fc
    .oneof(
      { weight: 4, arbitrary: fc.string({ unit: 'binary', minLength: min, maxLength: 12 }) },
      { weight: 2, arbitrary: fc.constantFrom(...special) },
      { weight: 1, arbitrary: fc.constantFrom(min, max).map((units) => 'x'.repeat(units)) },
    )
    .filter((it) => it.length >= min && it.length <= max && !/[\0\ufffd]|\p{Surrogate}/u.test(it));
}

/** As decoding leaves it. */
const provider = text(1, 64)
  .map(providerName)
  .filter((name) => name !== '');

const offeringParts = {
  model: text(1, 256),
  provider,
  deployment: text(0, 256),
  region: text(0, 64),
};
export const offering = fc.record(offeringParts).map(offeringKey);

export const outcome: fc.Arbitrary<RequestOutcome> = fc.record({
  event_id: id,
  occurred_at: timeMs,
  tenant: text(0, 128),
  ...offeringParts,
  request_id: text(0, 128),
  attempt: fc.integer({ min: 0, max: 1000 }),
  final: orNull(fc.boolean()),
  hedged: fc.boolean(),
  operation: fc.constantFrom(...OPERATIONS),
  requested_model: orNull(text(0, 256)),
  status: fc.constantFrom(...STATUSES),
  error_type: orNull(text(0, 64)),
  http_status: orNull(fc.integer({ min: 100, max: 599 })),
  stream: fc.boolean(),
  duration_ms: int,
  ttft_ms: orNull(int),
  input_tokens: orNull(long),
  output_tokens: orNull(long),
  cached_input_tokens: orNull(long),
  cache_write_tokens: orNull(long),
  reasoning_tokens: orNull(long),
  cost_nano_usd: orNull(long),
  retry_after_ms: orNull(int),
  ratelimit_remaining: orNull(int),
  decision: orNull(
    fc.record({
      decision_id: id,
      rank: int,
      propensity: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  ),
});

export const inflight: fc.Arbitrary<Inflight> = fc.record({
  emitter: id,
  offering,
  tick: long,
  started: int,
  in_flight: int,
  overdue: int,
  oldest_ms: int,
});

export const summary: fc.Arbitrary<OutcomeSummary> = fc.record({
  id,
  occurred_at: timeMs,
  tenant: text(0, 128),
  ...offeringParts,
  total_requests: long,
  successful_requests: orNull(long),
  failed_requests: orNull(long),
  duration_ms_mean: orNull(long),
  cost_nano_usd: orNull(long),
  total_tokens: orNull(long),
});

const capabilities = fc.array(text(1, 64), { maxLength: 4 });
const limits = { context_tokens: orNull(long), output_tokens_max: orNull(long) };

const price: fc.Arbitrary<CataloguePrice> = fc.record({
  model: offeringParts.model,
  provider: offeringParts.provider,
  deployment: offeringParts.deployment,
  valid_from: timeMs,
  source: text(0, 256),
  tiers: fc
    .array(
      fc.record({
        input: orNull(long),
        cached_input: orNull(long),
        cache_write: orNull(long),
        output: orNull(long),
        request: orNull(long),
      }),
      { maxLength: 4 },
    )
    .map((tiers) => tiers.map((tier, i) => ({ above_input_tokens: i * 128_000, ...tier }))),
});

const MASS_TOTAL = 2 ** 20;

const decision: fc.Arbitrary<Decision> = fc.record({
  decision_id: id,
  decided_at: timeMs,
  as_of: timeMs,
  tenant: text(0, 128),
  policy: text(0, 128),
  policy_hash: fc.constantFrom('', 'ab'.repeat(32)),
  strategy: text(1, 64),
  algorithm: text(0, 64),
  state: fc.record({
    generation: text(0, 128),
    version: long,
    vector: fc
      .dictionary(
        text(1, 249).filter((topic) => topic !== '__proto__'),
        fc.array(long, { maxLength: 6 }),
        { maxKeys: 5 },
      )
      .map((vector): Record<string, number[]> => ({ ...vector })),
  }),
  request: text(0, 512),
  request_hashed: fc.boolean(),
  unit: fc.constantFrom('none', 'decision', 'sticky', 'time_block'),
  unit_hash: text(0, 128),
  eligible: offering.chain((first) => fc.constantFrom([], [{ offering: first, mass: MASS_TOTAL }])),
  excluded: fc.array(fc.record({ offering, reason: text(1, 128) }), { maxLength: 3 }),
  slate: fc.array(offering, { maxLength: 3 }),
  degraded: fc.subarray(['stale', 'all_open', 'no_metrics', 'no_cache']),
});

/** Every record that is written on its own, by name. */
export const records = {
  RequestOutcome: outcome,
  Inflight: inflight,
  OutcomeSummary: summary,
  Schema: fc.record({
    id: fc.integer({ min: 100, max: INT_MAX }),
    subject: text(0, 256),
    schema: text(1, 2_000),
  }),
  CatalogueModel: fc.record({
    name: text(1, 256),
    display_name: text(0, 256),
    capabilities,
    ...limits,
    enabled: fc.boolean(),
  }),
  CatalogueProvider: fc.record({
    name: provider,
    display_name: text(0, 256),
    enabled: fc.boolean(),
  }),
  CatalogueOffering: fc.record({
    ...offeringParts,
    call_as: text(1, 256),
    capabilities: orNull(capabilities),
    ...limits,
    requests_per_minute: orNull(long),
    tokens_per_minute: orNull(long),
    weight: int,
    priority: fc.integer(),
    enabled: fc.boolean(),
  }),
  CatalogueAlias: fc.record({ name: text(1, 256), model: text(0, 256) }),
  CataloguePrice: price,
  Policy: fc.record({
    name: text(1, 128),
    document: text(0, 65_536),
    hash: fc.constantFrom('', '0f'.repeat(32)),
  }),
  Decision: decision,
};

/** Numbers of 0..max with the edges that varints and doubles have. */
function edged(max: number): fc.Arbitrary<number> {
  const edges = [0, 1, 63, 64, 2 ** 13, 2 ** 20, 2 ** 27 - 1, 2 ** 27, 2 ** 31 - 1, 2 ** 31]
    .concat([2 ** 32, 2 ** 48 - 1, 2 ** 48, 2 ** 52, 2 ** 52 + 1, max - 1, max])
    .filter((edge) => edge <= max);
  return fc.oneof(fc.integer({ min: 0, max }), fc.constantFrom(...edges));
}
