import { assembleBatch, encodeOutcomeBody, encodeRecord } from '../../src/event/encode.js';
import { OPERATIONS, type RequestOutcome, STATUSES } from '../../src/event/outcome.js';
import type { NewRecord } from '../../src/log/port.js';
import { createRandom, type Random } from './random.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** 16 bytes in the shape of a UUID, other ones for each number of a kind. */
export function idOf(kind: number, number: number): Buffer {
  const id = Buffer.alloc(16);
  id.writeUInt32BE(kind, 0);
  id.writeUInt32BE(number, 12);
  id[6] = 0x70;
  id[8] = 0x80;
  return id;
}

/** An outcome whose fields follow from `draw` alone: on time, late, ahead, with unknowns. */
export function outcomeOf(eventId: Buffer, draw: number, nowMs: number): RequestOutcome {
  const random = createRandom(draw + 1);
  random.unit();
  const orNull = <T>(value: T): T | null => (random.chance(0.3) ? null : value);
  const status = random.chance(0.6) ? 'success' : random.pick(STATUSES);
  return {
    event_id: eventId,
    occurred_at: nowMs - ageOf(random),
    tenant: random.pick(['', 'acme', 'globex']),
    region: '',
    deployment: '',
    request_id: '',
    attempt: random.pick([0, 0, 1]),
    final: null,
    hedged: false,
    operation: random.pick(OPERATIONS.slice(0, 2)),
    model: `model-${random.below(6)}`,
    provider: 'p',
    requested_model: null,
    status,
    error_type: status === 'success' ? null : random.pick(['503', 'reset', 'refused']),
    http_status: status === 'success' ? 200 : 503,
    stream: random.chance(0.5),
    duration_ms: random.below(60_000),
    ttft_ms: orNull(random.below(2_000)),
    input_tokens: orNull(random.chance(0.02) ? 2 ** 53 - 2 : random.below(300_000)),
    output_tokens: orNull(random.below(4_000)),
    cached_input_tokens: null,
    cache_write_tokens: null,
    reasoning_tokens: null,
    cost_nano_usd: orNull(random.below(1_000_000_000)),
    retry_after_ms: random.chance(0.1) ? 2_000 : null,
    ratelimit_remaining: orNull(random.below(100)),
    decision: null,
  };
}

function ageOf(random: Random): number {
  if (random.chance(0.05)) return random.below(40 * DAY_MS);
  if (random.chance(0.05)) return -random.below(10 * MINUTE_MS);
  return random.below(2 * MINUTE_MS) - 8_000;
}

export function singleRecord(outcome: RequestOutcome): NewRecord {
  return { key: null, value: encodeRecord('RequestOutcome', outcome) };
}

/** A batch that another program made by our rules, or nearly: events may break one. */
export function forgedBatch(
  publisher: Buffer,
  sequence: number,
  outcomes: readonly RequestOutcome[],
): NewRecord {
  const { value, headers } = assembleBatch(publisher, sequence, outcomes.map(encodeOutcomeBody));
  return { key: null, value, headers };
}

/** Bytes that are no record, each kind for another reason. */
export function garbage(draw: number): NewRecord {
  const random = createRandom(draw + 1);
  const batch = forgedBatch(idOf(9, 1), 1, [outcomeOf(idOf(9, 1), draw, DAY_MS)]);
  const flipped = Buffer.from(batch.value!);
  flipped[6 + random.below(flipped.length - 6)]! ^= 1;
  return random.pick<NewRecord>([
    { key: null, value: null },
    { key: null, value: Buffer.from('{"model": "not Avro"}') },
    { key: null, value: Buffer.from([0, 0, 0, 0x27, 0x0f, 1]) },
    { ...batch, value: flipped },
    { key: null, value: batch.value },
  ]);
}

export function gauge(draw: number): NewRecord {
  const random = createRandom(draw + 1);
  const value = encodeRecord('Inflight', {
    emitter: idOf(3, random.below(3)),
    offering: `model-${random.below(6)}|p||`,
    tick: 0,
    started: random.below(5),
    in_flight: random.below(9),
    overdue: 0,
    oldest_ms: random.below(1_000),
  });
  return { key: null, value };
}

export function summary(draw: number, nowMs: number): NewRecord {
  const random = createRandom(draw + 1);
  const value = encodeRecord('OutcomeSummary', {
    id: idOf(4, random.below(12)),
    occurred_at: nowMs - ageOf(random),
    tenant: random.pick(['', 'acme']),
    region: '',
    deployment: '',
    model: `model-${random.below(6)}`,
    provider: 'p',
    total_requests: 1 + random.below(50),
    successful_requests: null,
    failed_requests: random.below(3),
    duration_ms_mean: random.below(5_000),
    cost_nano_usd: null,
    total_tokens: random.below(9_000),
  });
  return { key: null, value };
}

export function catalogueRecord(draw: number): NewRecord {
  const random = createRandom(draw + 1);
  const name = `model-${random.below(4)}`;
  const value = random.chance(0.5)
    ? encodeRecord('CatalogueModel', {
        name,
        display_name: `${name} ${random.below(9)}`,
        capabilities: ['tools'],
        context_tokens: 128_000,
        output_tokens_max: null,
        enabled: random.chance(0.8),
      })
    : encodeRecord('CatalogueAlias', { name: `alias-${random.below(3)}`, model: name });
  return { key: null, value };
}
