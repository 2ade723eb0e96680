import { offeringKey } from '../src/event/offering-key.js';
import { STATUSES } from '../src/event/outcome.js';
import type { HotView } from '../src/hotkeys/poller.js';
import type {
  HealthValue,
  LatencyRow,
  MetricsValue,
  MinuteRow,
  ModelsValueOffering,
  TickRow,
} from '../src/hotkeys/values.js';
import type { RouteRequest } from '../src/route/request.js';
import { nextSnapshot, type Snapshot } from '../src/route/snapshot.js';
import { randomFrom } from './random.js';

/** SYNTHETIC: one model at 40 offerings, each with half an hour of minutes and two of ticks. */
export const MODEL = 'vendor/model';
export const OFFERING_COUNT = 40;
/** 2026-01-01T00:00:00Z, the first second that is read as of. */
export const AS_OF = 1_767_225_600;

export const REQUEST: RouteRequest = {
  model: MODEL,
  operation: 'chat',
  stream: true,
  request_id: '',
  tried: [],
  limit: 3,
};

export function syntheticSnapshot(): Snapshot {
  const random = randomFrom(7);
  const offerings = Array.from({ length: OFFERING_COUNT }, (_, index) => offeringOf(index, random));
  const health: HealthValue = { newest_tick: AS_OF / 5, ticks: {}, inflight: {} };
  const values = new Map<string, string>();
  for (const { offering } of offerings) {
    // Eighths of an octave about the reference, and 1 to 6 % failures.
    const pace = Math.round(random() * 16 - 8);
    const failures = 0.01 + random() * 0.05;
    health.ticks[offering] = Array.from({ length: 24 }, (_, age) => tickOf(age, pace, failures));
    values.set(`metrics:${offering}`, JSON.stringify(metricsOf(offering, pace, failures)));
  }
  const model = {
    name: MODEL,
    display_name: MODEL,
    capabilities: ['tools'],
    context_tokens: 128_000,
    output_tokens_max: 4096,
    enabled: true,
  };
  values.set('models', JSON.stringify({ models: [model], aliases: {}, offerings }));
  values.set('health', JSON.stringify(health));
  return nextSnapshot(null, viewOf(values)).snapshot;
}

function viewOf(values: ReadonlyMap<string, string>): HotView {
  const vector = { 'airouter.outcomes.v1': [1, 2, 3, 4, 5, 6] };
  const lane = { version: 21, vector, writtenAtMs: AS_OF * 1000, writeId: 'w' };
  const lanes = { health: lane, metrics: lane };
  const state = { epoch: 'e', revision: 1, writeId: 'w', lanes };
  return { generation: 'v1.1.1.1', state, values, changedKeys: new Set(values.keys()) };
}

function offeringOf(index: number, random: () => number): ModelsValueOffering {
  const identity = {
    model: MODEL,
    provider: `provider-${index % 10}`,
    deployment: '',
    region: `region-${Math.floor(index / 10)}`,
  };
  const input = Math.round(500_000_000 * (1 + random() * 4));
  const tier = { above_input_tokens: 0, input, output: input * 4 };
  return {
    ...identity,
    offering: offeringKey(identity),
    call_as: MODEL,
    capabilities: null,
    context_tokens: null,
    output_tokens_max: null,
    requests_per_minute: null,
    tokens_per_minute: null,
    weight: 1,
    priority: 0,
    enabled: true,
    prices: [
      { valid_from: 0, tiers: [{ ...tier, cached_input: null, cache_write: null, request: null }] },
    ],
  };
}

function tickOf(age: number, pace: number, failures: number): TickRow {
  return {
    tick: AS_OF / 5 - age,
    stream: true,
    fallback: false,
    ...outcomesOf(25, pace, failures),
    retry_until_ms: 0,
    ratelimit_remaining: null,
  };
}

function metricsOf(offering: string, pace: number, failures: number): MetricsValue {
  const common = { operation: 'chat', stream: true, fallback: false };
  const newest = AS_OF / 60;
  const minutes = Array.from({ length: 30 }, (_, age): MinuteRow => {
    const { counts, pace: moments } = outcomesOf(300, pace, failures);
    const tokens = { input_tokens: [300, 300_000], output_tokens: [300, 39_000] } as const;
    return { minute: newest - age, ...common, counts, pace: moments, ...tokens };
  });
  const latency = Array.from({ length: 30 }, (_, age): LatencyRow => {
    const histogram = [60, 10, 40, 100, 80, 40, 20, 10];
    return { minute: newest - age, ...common, metric: 'ttft_ms', censored: 0, histogram };
  });
  return { offering, minutes, latency };
}

function outcomesOf(events: number, pace: number, failures: number) {
  const failed = Math.round(events * failures);
  const success = events - failed;
  const by: Partial<Record<string, number>> = { success, error: failed };
  const counts = STATUSES.map((status) => by[status] ?? 0);
  return { counts, pace: [success, success * pace, success * pace * pace] as const };
}
