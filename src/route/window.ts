import { STATUSES, type Status } from '../event/outcome.js';
import type { MetricsValue, StatusCounts, TickRow } from '../hotkeys/values.js';
import type { Health } from './snapshot.js';

/** Successes and provider failures, and the moments of the successes' pace (fold/reference.ts). */
export interface Tally {
  success: number;
  failure: number;
  paceCount: number;
  paceSum: number;
  paceSquares: number;
}

/** What happened at one offering, to requests of one kind, up to the as-of second. */
export interface Window {
  /** Newest first: 24 ticks of 5 s, the first of which as-of lies in, then the minutes before. */
  bins: readonly Tally[];
  /** What an outcome of each bin counts for: half as much for every 300 s of age. */
  weights: readonly number[];
  /** All of the last 30 minutes, unweighted: what the priors of others are made from. */
  whole: Tally;
}

export const WINDOW_TICKS = 24;
const WINDOW_MINUTES = 30;
const TICK_MS = 5_000;
const MINUTE_MS = 60_000;
/** A gauge that is older than 15 s says nothing of now: its emitter may be gone. */
export const GAUGE_TICKS = 3;

/**
 * Below this many first attempts the later ones count too. Later attempts inherit the requests
 * that failed elsewhere: the same provider looks worse in them, but better than unknown.
 */
export const FIRST_ATTEMPTS_MIN = 8;

/** `cancelled`, `content_filtered` and `invalid_request` are neither: the provider did its part. */
const FAILURES: ReadonlySet<Status> = new Set([
  'error',
  'timeout',
  'rate_limited',
  'unauthorized',
  'invalid_response',
]);
const SUCCESS_INDEX = STATUSES.indexOf('success');
const FAILURE_INDEXES = STATUSES.flatMap((status, i) => (FAILURES.has(status) ? [i] : []));

/** Ages 0..30 of a minute. */
const MINUTE_BINS = WINDOW_MINUTES + 1;

/** 0.5^(age / 5) of each minute's age, and 1 for the ticks, which are of the last two minutes. */
const WEIGHTS = weightsOfBins();

export interface OfferingRows {
  offering: string;
  metrics: MetricsValue | undefined;
  health: Health | null;
}

/**
 * The window of one offering for streamed or for whole answers, which are never mixed: first
 * attempts, or all attempts where those are too few.
 */
export function windowOf(rows: OfferingRows, asOf: number, stream: boolean): Window {
  const first = readWindow(rows, asOf, stream, false);
  const { success, failure } = sumBins(first, 0, first.bins.length);
  if (success + failure >= FIRST_ATTEMPTS_MIN) return first;
  return readWindow(rows, asOf, stream, true);
}

export function emptyTally(): Tally {
  return { success: 0, failure: 0, paceCount: 0, paceSum: 0, paceSquares: 0 };
}

export function addTally(into: Tally, tally: Tally, weight = 1): void {
  into.success += weight * tally.success;
  into.failure += weight * tally.failure;
  into.paceCount += weight * tally.paceCount;
  into.paceSum += weight * tally.paceSum;
  into.paceSquares += weight * tally.paceSquares;
}

/** Weighted sum of the bins [from, to). */
export function sumBins({ bins, weights }: Window, from: number, to: number): Tally {
  const sum = emptyTally();
  for (let i = from; i < to; i++) addTally(sum, bins[i]!, weights[i]!);
  return sum;
}

/** Unweighted sum of the newest minutes, which the ticks are part of. */
export function sumNewest({ bins }: Window, minutes: number): Tally {
  const sum = emptyTally();
  for (let i = 0; i < WINDOW_TICKS && i * TICK_MS < minutes * MINUTE_MS; i++)
    addTally(sum, bins[i]!);
  for (let age = 0; age < minutes; age++) addTally(sum, bins[WINDOW_TICKS + age]!);
  return sum;
}

export function successesOf(counts: StatusCounts): number {
  return counts[SUCCESS_INDEX] ?? 0;
}

export function failuresOf(counts: StatusCounts): number {
  let sum = 0;
  for (const index of FAILURE_INDEXES) sum += counts[index] ?? 0;
  return sum;
}

export const tickOf = (asOf: number): number => Math.floor((asOf * 1000) / TICK_MS);

/**
 * Age of a tick in ticks, or -1 where it is out of the window. A tick ahead of as-of is of now:
 * the log's clock and the router's differ.
 */
export function ageOfTick(tick: number, asOfTick: number): number {
  const age = asOfTick > tick ? asOfTick - tick : 0;
  return age < WINDOW_TICKS ? age : -1;
}

/** Calls that have been in flight for too long, as failures that are not recorded yet. */
export function overdueOf(health: Health | null, offering: string, asOf: number): number {
  const gauge = health?.inflight.get(offering);
  if (gauge === undefined || health?.newestTick == null) return 0;
  return tickOf(asOf) - health.newestTick < GAUGE_TICKS ? gauge.overdue : 0;
}

function readWindow(
  rows: OfferingRows,
  asOf: number,
  stream: boolean,
  areLaterCounted: boolean,
): Window {
  const bins = Array.from({ length: WINDOW_TICKS + MINUTE_BINS }, emptyTally);
  const window = { bins, weights: WEIGHTS, whole: emptyTally() };
  const isWanted = (row: { stream: boolean; fallback: boolean }): boolean =>
    row.stream === stream && (areLaterCounted || !row.fallback);
  // Without ticks the minutes are all there is, up to the newest.
  let endMs = Number.POSITIVE_INFINITY;
  if (rows.health !== null) {
    endMs = (tickOf(asOf) - WINDOW_TICKS + 1) * TICK_MS;
    addTicks(bins, (rows.health.ticks.get(rows.offering) ?? []).filter(isWanted), asOf);
    bins[0]!.failure += overdueOf(rows.health, rows.offering, asOf);
  }
  addMinutes(window, rows.metrics?.minutes.filter(isWanted) ?? [], asOf, endMs);
  return window;
}

function addTicks(bins: readonly Tally[], rows: readonly TickRow[], asOf: number): void {
  const asOfTick = tickOf(asOf);
  for (const row of rows) {
    const age = ageOfTick(row.tick, asOfTick);
    if (age !== -1) addRow(bins[age]!, row, 1);
  }
}

function addMinutes(
  { bins, whole }: { bins: readonly Tally[]; whole: Tally },
  rows: MetricsValue['minutes'],
  asOf: number,
  endMs: number,
): void {
  const asOfMinute = Math.floor((asOf * 1000) / MINUTE_MS);
  for (const row of rows) {
    const age = asOfMinute > row.minute ? asOfMinute - row.minute : 0;
    if (age > WINDOW_MINUTES) continue;
    addRow(whole, row, 1);
    // Of the minute in which the ticks begin, the part before them.
    const part = Math.max(0, Math.min(1, (endMs - row.minute * MINUTE_MS) / MINUTE_MS));
    if (part > 0) addRow(bins[WINDOW_TICKS + age]!, row, part);
  }
}

function addRow(
  tally: Tally,
  row: { counts: StatusCounts; pace: readonly [number, number, number] },
  weight: number,
): void {
  tally.success += weight * successesOf(row.counts);
  tally.failure += weight * failuresOf(row.counts);
  tally.paceCount += weight * row.pace[0];
  tally.paceSum += weight * row.pace[1];
  tally.paceSquares += weight * row.pace[2];
}

function weightsOfBins(): number[] {
  const minutes = [
    1, 0.8705505632961241, 0.757858283255199, 0.6597539553864471, 0.5743491774985174,
  ];
  for (let age = minutes.length; age < MINUTE_BINS; age++) minutes.push(minutes[age - 5]! / 2);
  return [...new Array<number>(WINDOW_TICKS).fill(1), ...minutes];
}
