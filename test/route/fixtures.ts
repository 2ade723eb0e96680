import { offeringKey } from '../../src/event/offering-key.js';
import { STATUSES, type Status } from '../../src/event/outcome.js';
import type { HotView } from '../../src/hotkeys/poller.js';
import type { HotState } from '../../src/hotkeys/port.js';
import type {
  HealthValue,
  MinuteRow,
  ModelsValue,
  ModelsValueOffering,
  TickRow,
} from '../../src/hotkeys/values.js';
import { Board } from '../../src/route/board.js';
import { decide } from '../../src/route/decide.js';
import type { RouteRequest } from '../../src/route/request.js';
import { nextSnapshot, type Snapshot } from '../../src/route/snapshot.js';

/** 2026-01-01T00:00:00Z, the second that the fixtures are read as of. */
export const AS_OF = 1_767_225_600;
export const TICK = AS_OF / 5;
export const MINUTE = AS_OF / 60;

export function offering(
  model: string,
  provider: string,
  other: Partial<ModelsValueOffering> & { input?: number | null; output?: number | null } = {},
): ModelsValueOffering {
  const { input = 1_000_000_000, output = 4_000_000_000, ...fields } = other;
  const identity = {
    model,
    provider,
    deployment: fields.deployment ?? '',
    region: fields.region ?? '',
  };
  return {
    ...identity,
    offering: offeringKey(identity),
    call_as: model,
    capabilities: null,
    context_tokens: null,
    output_tokens_max: null,
    requests_per_minute: null,
    tokens_per_minute: null,
    weight: 1,
    priority: 0,
    enabled: true,
    prices: [
      {
        valid_from: 0,
        tiers: [
          {
            above_input_tokens: 0,
            input,
            cached_input: null,
            cache_write: null,
            output,
            request: null,
          },
        ],
      },
    ],
    ...fields,
  };
}

export function catalogue(
  offerings: readonly ModelsValueOffering[],
  other: Partial<ModelsValue> = {},
): ModelsValue {
  const names = [...new Set(offerings.map(({ model }) => model))].sort();
  const models = names.map((name) => ({
    name,
    display_name: name.toUpperCase(),
    capabilities: ['tools'],
    context_tokens: 128_000,
    output_tokens_max: 4096,
    enabled: true,
  }));
  return { models, aliases: {}, offerings: [...offerings], ...other };
}

export function counts(by: Partial<Record<Status, number>>): number[] {
  return STATUSES.map((status) => by[status] ?? 0);
}

/** A tick of an age; its successes all have the same pace. */
export function tick(
  age: number,
  by: Partial<Record<Status, number>>,
  other: Partial<Omit<TickRow, 'pace'>> & { pace?: number } = {},
): TickRow {
  const { pace = 0, ...fields } = other;
  const success = by.success ?? 0;
  return {
    tick: TICK - age,
    stream: false,
    fallback: false,
    counts: counts(by),
    pace: [success, success * pace, success * pace * pace],
    retry_until_ms: 0,
    ratelimit_remaining: null,
    ...fields,
  };
}

export function minute(
  age: number,
  by: Partial<Record<Status, number>>,
  other: Partial<Omit<MinuteRow, 'pace'>> & { pace?: number } = {},
): MinuteRow {
  const { pace = 0, ...fields } = other;
  const success = by.success ?? 0;
  return {
    minute: MINUTE - age,
    operation: 'chat',
    stream: false,
    fallback: false,
    counts: counts(by),
    pace: [success, success * pace, success * pace * pace],
    input_tokens: [success, success * 1000],
    output_tokens: [success, success * 130],
    ...fields,
  };
}

export const health = (value: Partial<HealthValue>): HealthValue => ({
  newest_tick: TICK,
  ticks: {},
  inflight: {},
  ...value,
});

export function hotState(writtenAtMs = AS_OF * 1000): HotState {
  const lane = { version: 7, vector: { outcomes: [3, 4] }, writtenAtMs, writeId: 'w' };
  return { epoch: 'e', revision: 1, writeId: 'w', lanes: { health: lane, metrics: lane } };
}

/** A view of all the values given; texts stand as they are, other values as JSON. */
export function view(values: Record<string, unknown>, other: Partial<HotView> = {}): HotView {
  const texts = new Map(
    Object.entries(values).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
  return {
    generation: '1-db',
    state: hotState(),
    values: texts,
    changedKeys: new Set(texts.keys()),
    ...other,
  };
}

export function snapshotOf(values: Record<string, unknown>): Snapshot {
  return nextSnapshot(null, view(values)).snapshot;
}

/** A snapshot of a catalogue with ticks and minutes by offering. */
export function measured(
  offerings: readonly ModelsValueOffering[],
  rows: { ticks?: Record<string, TickRow[]>; minutes?: Record<string, MinuteRow[]> } = {},
): Snapshot {
  const metrics = Object.entries(rows.minutes ?? {}).map(([key, minutes]) => [
    `metrics:${key}`,
    { offering: key, minutes, latency: [] },
  ]);
  return snapshotOf({
    models: catalogue(offerings),
    health: health({ ticks: rows.ticks ?? {} }),
    ...Object.fromEntries(metrics),
  });
}

export function request(body: Partial<RouteRequest>): RouteRequest {
  const named = body.models === undefined && body.model_set === undefined ? { model: 'm' } : {};
  return {
    ...named,
    operation: 'chat',
    stream: false,
    request_id: '',
    tried: [],
    limit: 3,
    ...body,
  };
}

export function decisionId(index: number): Buffer {
  const id = Buffer.alloc(16);
  id.writeUInt32BE(index, 12);
  return id;
}

export function decideOn(snapshot: Snapshot, body: Partial<RouteRequest> = {}, index = 0) {
  const asked = request(body);
  return decide({
    board: new Board(snapshot, AS_OF, asked.stream),
    decidedAtMs: AS_OF * 1000,
    staleAfterMs: 10_000,
    tenant: '',
    request: asked,
    decisionId: decisionId(index),
  });
}
