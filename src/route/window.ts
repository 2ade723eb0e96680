import type { MetricsValue, TickRow } from '../hotkeys/values.js';
import { ratioOfPace } from './arithmetic.js';
import type { Health } from './health.js';
import { OVERDUE_TICKS, stuckOf } from './in-flight.js';
import { type SizeSlope, slopeWithin, toUsualSize } from './size-slope.js';
import { addRow, addTally, type Cell, emptyTally, type Tally, TIMEOUT_MS } from './tally.js';
import { ageOfTick, MINUTE_MS, TICK_MS, tickOf, WINDOW_TICKS } from './ticks.js';

/** What happened at one offering, to requests of one kind, up to the as-of second. */
export interface Window {
  /** Newest first: 24 ticks of 5 s, the first of which as-of lies in, then the minutes before. */
  bins: readonly Tally[];
  /** What an outcome of each bin counts for: half as much for every 80 s of age. */
  weights: readonly number[];
  /** All of the last 30 minutes, unweighted: what the priors of others are made from. */
  whole: Tally;
  size: SizeSlope;
}

const WINDOW_MINUTES = 30;

/**
 * Below this many first attempts the later ones count too. Later attempts inherit the requests
 * that failed elsewhere: the same provider looks worse in them, but better than unknown.
 */
export const FIRST_ATTEMPTS_MIN = 8;

/** Ages 0..30 of a minute. */
const MINUTE_BINS = WINDOW_MINUTES + 1;

/**
 * Of an outcome a tick, and a minute, older: ½^(5/80) and ½^(60/80). So short a memory keeps a
 * doubt about everybody who is not tried: doubt is what is explored by. How it was over the last
 * half hour stays as the prior.
 */
const TICK_DECAY = 0.9576032806985737;
const MINUTE_DECAY = 0.5946035575013605;
const WEIGHTS = weightsOfBins();

export interface OfferingRows {
  offering: string;
  metrics: MetricsValue | undefined;
  /** What an answer of the model's usual size takes at a plain offering. */
  plainMs: number;
  /** The part of it that generating takes, 64ths. */
  usualGeneration: number;
  health: Health | null;
}

/**
 * The window of one offering for streamed or for whole answers, which are never mixed: first
 * attempts, or all attempts where those are too few.
 */
export function windowOf(rows: OfferingRows, asOf: number, stream: boolean): Window {
  const first = readWindow(rows, asOf, stream, false);
  const count = first.bins.reduce((sum, { success, failure }) => sum + success + failure, 0);
  if (count >= FIRST_ATTEMPTS_MIN) return first;
  return readWindow(rows, asOf, stream, true);
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

/** How long ago the oldest of the newest bins began. */
export function secondsOf(newestBins: number): number {
  const minutes = Math.max(0, newestBins - WINDOW_TICKS);
  return minutes > 0 ? minutes * 60 : newestBins * (TICK_MS / 1000);
}

function readWindow(
  rows: OfferingRows,
  asOf: number,
  stream: boolean,
  areLaterCounted: boolean,
): Window {
  const read: Reading = {
    bins: Array.from({ length: WINDOW_TICKS + MINUTE_BINS }, emptyCell),
    whole: emptyCell(),
    usual: rows.usualGeneration,
  };
  const isWanted = (row: { stream: boolean; fallback: boolean }): boolean =>
    row.stream === stream && (areLaterCounted || !row.fallback);
  // Without ticks the minutes are all there is, up to the newest.
  let endMs = Number.POSITIVE_INFINITY;
  if (rows.health !== null) {
    endMs = (tickOf(asOf) - WINDOW_TICKS + 1) * TICK_MS;
    addTicks(read, (rows.health.ticks.get(rows.offering) ?? []).filter(isWanted), asOf);
  }
  addMinutes(read, rows.metrics?.minutes.filter(isWanted) ?? [], asOf, endMs);
  const size = { slope: slopeWithin(read.bins), usual: read.usual };
  for (const cell of read.bins) toUsualSize(cell, size);
  toUsualSize(read.whole, size);
  const bins = read.bins.map(({ tally }) => tally);
  const window = { bins, weights: WEIGHTS, whole: read.whole.tally, size };
  addStuck(window, rows, asOf);
  return window;
}

/**
 * Calls in flight that are as good as failed are failures that are not recorded yet, of the time in
 * which they began: hangs last long, so a few are always in flight where one of fifty calls hangs,
 * and beside the successes of the newest tick alone they would look like an outage.
 */
function addStuck(
  { bins, whole }: { bins: readonly Tally[]; whole: Tally },
  rows: OfferingRows,
  asOf: number,
): void {
  const isMeasured = whole.paceCount >= FIRST_ATTEMPTS_MIN;
  const meanMs = isMeasured ? rows.plainMs * ratioOfPace(whole.paceSum / whole.paceCount) : null;
  const { overdue, hung } = stuckOf(rows.health, rows.offering, asOf, meanMs);
  bins[0]!.failure += hung;
  bins[0]!.failureMs += hung * TIMEOUT_MS;
  bins[OVERDUE_TICKS]!.failure += overdue;
  bins[OVERDUE_TICKS]!.failureMs += overdue * TIMEOUT_MS;
}

/** A window while it is read. */
interface Reading {
  bins: readonly Cell[];
  whole: Cell;
  /** As of `OfferingRows.usualGeneration`. */
  usual: number;
}

const emptyCell = (): Cell => ({
  tally: emptyTally(),
  sizes: { sum: 0, squares: 0, products: 0 },
});

function addTicks({ bins, usual }: Reading, rows: readonly TickRow[], asOf: number): void {
  const asOfTick = tickOf(asOf);
  for (const row of rows) {
    const age = ageOfTick(row.tick, asOfTick);
    if (age !== -1) addRow(bins[age]!, row, 1, usual);
  }
}

function addMinutes(
  { bins, whole, usual }: Reading,
  rows: MetricsValue['minutes'],
  asOf: number,
  endMs: number,
): void {
  const asOfMinute = Math.floor((asOf * 1000) / MINUTE_MS);
  for (const row of rows) {
    const age = asOfMinute > row.minute ? asOfMinute - row.minute : 0;
    if (age > WINDOW_MINUTES) continue;
    addRow(whole, row, 1, usual);
    // Of the minute in which the ticks begin, the part before them.
    const part = Math.max(0, Math.min(1, (endMs - row.minute * MINUTE_MS) / MINUTE_MS));
    if (part > 0) addRow(bins[WINDOW_TICKS + age]!, row, part, usual);
  }
}

function weightsOfBins(): number[] {
  const powers = (base: number, count: number): number[] => {
    const list = [1];
    while (list.length < count) list.push(list.at(-1)! * base);
    return list;
  };
  return [...powers(TICK_DECAY, WINDOW_TICKS), ...powers(MINUTE_DECAY, MINUTE_BINS)];
}
