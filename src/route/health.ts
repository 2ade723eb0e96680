import type { HealthValue, InflightSum, TickRow } from '../hotkeys/values.js';

export interface Health {
  ticks: ReadonlyMap<string, readonly TickRow[]>;
  inflight: ReadonlyMap<string, InflightSum>;
  /** By offering, ms since the epoch: the time to stay away that a provider named, however long ago. */
  retryUntil: ReadonlyMap<string, number>;
  /** Newest tick of any row, which the gauges are as of. */
  newestTick: number | null;
}

/** What did not change is the same object as before, so that what was made of it stands. */
export function healthOf(value: HealthValue | null, before: Health | null): Health | null {
  if (value === null) return null;
  return {
    ticks: sharedMap(value.ticks, before?.ticks, areSameTicks),
    inflight: sharedMap(value.inflight, before?.inflight, isSameGauge),
    retryUntil: new Map(Object.entries(value.retry_until ?? {})),
    newestTick: value.newest_tick,
  };
}

function sharedMap<T>(
  values: Readonly<Record<string, T>>,
  before: ReadonlyMap<string, T> | undefined,
  isSame: (a: T, b: T) => boolean,
): Map<string, T> {
  const map = new Map<string, T>();
  for (const [key, value] of Object.entries(values)) {
    const old = before?.get(key);
    map.set(key, old !== undefined && isSame(old, value) ? old : value);
  }
  return map;
}

/** The newest rows, which change most, stand last. */
function areSameTicks(a: readonly TickRow[], b: readonly TickRow[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = a.length - 1; i >= 0; i--) if (!isSameTick(a[i]!, b[i]!)) return false;
  return true;
}

function isSameTick(a: TickRow, b: TickRow): boolean {
  return (
    a.tick === b.tick &&
    a.stream === b.stream &&
    a.fallback === b.fallback &&
    a.retry_until_ms === b.retry_until_ms &&
    a.ratelimit_remaining === b.ratelimit_remaining &&
    areSameNumbers(a.counts, b.counts) &&
    areSameNumbers(a.pace, b.pace) &&
    areSameNumbers(a.generation ?? [], b.generation ?? [])
  );
}

function isSameGauge(a: InflightSum, b: InflightSum): boolean {
  return (
    a.in_flight === b.in_flight &&
    a.overdue === b.overdue &&
    a.oldest_ms === b.oldest_ms &&
    areSameNumbers(a.started ?? [], b.started ?? []) &&
    (a.started === undefined) === (b.started === undefined)
  );
}

function areSameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
