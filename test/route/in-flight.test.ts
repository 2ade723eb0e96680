import { expect, it } from 'vitest';
import type { InflightSum } from '../../src/hotkeys/values.js';
import { type Stuck, stuckOf } from '../../src/route/in-flight.js';
import { AS_OF, TICK } from './fixtures.js';

const MEAN_MS = 3_000;

function stuck(gauge: InflightSum, meanMs: number | null = MEAN_MS, newestTick = TICK): Stuck {
  const inflight = new Map([['o', gauge]]);
  const health = { ticks: new Map(), inflight, retryUntil: new Map(), newestTick };
  return stuckOf(health, 'o', AS_OF, meanMs);
}

const gauge = (inFlight: number, started: readonly number[], overdue = 0): InflightSum => ({
  in_flight: inFlight,
  overdue,
  oldest_ms: 12_000,
  started,
});

it('what is in flight as usual is not stuck, nor is a burst that has just begun', () => {
  // Four a second that take three seconds: twelve in flight.
  expect(stuck(gauge(12, [20, 20, 20]))).toEqual({ overdue: 0, hung: 0 });
  expect(stuck(gauge(30, [30, 0, 0]))).toEqual({ overdue: 0, hung: 0 });
});

it('what cannot be in flight any more is stuck, long before it is overdue', () => {
  const { hung } = stuck(gauge(40, [20, 20, 20]));
  expect(hung).toBeGreaterThan(20);
  expect(hung).toBeLessThan(40);
  // Nothing began any more, and they still hang.
  expect(stuck(gauge(40, [0, 0, 0]))).toEqual({ overdue: 0, hung: 40 });
});

it('what callers call overdue counts beside what hangs, and alone where nothing else is known', () => {
  expect(stuck(gauge(12, [20, 20, 20], 5))).toEqual({ overdue: 5, hung: 0 });
  expect(stuck(gauge(40, [0, 0, 0], 5))).toEqual({ overdue: 5, hung: 35 });
  expect(stuck(gauge(40, [20, 20, 20], 5), null)).toEqual({ overdue: 5, hung: 0 });
  const { started: _, ...older } = gauge(40, [], 5);
  expect(stuck(older)).toEqual({ overdue: 5, hung: 0 });
});

it('a gauge that is 15 s old says nothing', () => {
  expect(stuck(gauge(40, [0, 0, 0], 40), MEAN_MS, TICK - 3)).toEqual({ overdue: 0, hung: 0 });
});
