import { bucketOf } from '../../src/fold/histogram.js';
import type { LatencyMetric, ModelsValueOffering } from '../../src/hotkeys/values.js';
import { MASS_TOTAL } from '../../src/route/masses.js';
import type { RouteRequest } from '../../src/route/request.js';
import type { Snapshot } from '../../src/route/snapshot.js';
import { catalogue, decideOn, health, MINUTE, minute, snapshotOf, TICK } from './fixtures.js';

/** A latency row of one value, `count` times. */
export const latency = (
  metric: LatencyMetric,
  value: number,
  count = 20,
  other: { age?: number; stream?: boolean } = {},
) => ({
  minute: MINUTE - (other.age ?? 1),
  operation: 'chat',
  stream: other.stream ?? true,
  fallback: false,
  metric,
  censored: 0,
  histogram: [bucketOf(value), count],
});

export type Rows = Record<string, ReturnType<typeof latency>[]>;

export function withLatency(offerings: readonly ModelsValueOffering[], rows: Rows): Snapshot {
  const metrics = offerings.map((it) => [
    `metrics:${it.offering}`,
    { offering: it.offering, minutes: [], latency: rows[it.offering] ?? [] },
  ]);
  return snapshotOf({
    models: catalogue(offerings),
    health: health({}),
    ...Object.fromEntries(metrics),
  });
}

export function withGauges(
  offerings: readonly ModelsValueOffering[],
  gauges: Record<string, number>,
  newest = TICK,
): Snapshot {
  const inflight = Object.fromEntries(
    Object.entries(gauges).map(([key, in_flight]) => [
      key,
      { in_flight, overdue: 0, oldest_ms: 1 },
    ]),
  );
  return snapshotOf({
    models: catalogue(offerings),
    health: health({ inflight, newest_tick: newest }),
    [`metrics:${offerings[0]!.offering}`]: {
      offering: offerings[0]!.offering,
      minutes: [minute(3, { success: 20 })],
      latency: [],
    },
  });
}

export const order = (snapshot: Snapshot, body: Partial<RouteRequest>) =>
  decideOn(snapshot, { limit: 10, ...body }).candidates.map(({ provider }) => provider);

export const shares = (snapshot: Snapshot, body: Partial<RouteRequest>) =>
  decideOn(snapshot, body).eligible.map(({ mass }) => mass / MASS_TOTAL);
