import { STATUSES, type Status } from '../event/outcome.js';
import type { Generation, Moments, StatusCounts } from '../hotkeys/values.js';

/** Successes and provider failures, and the moments of the successes' pace at the usual size. */
export interface Tally {
  success: number;
  failure: number;
  /** What the failures took, ms, as far as their statuses tell. */
  failureMs: number;
  paceCount: number;
  paceSum: number;
  paceSquares: number;
}

/** Moments of the part of the reference that generating takes, in 64ths, of a tally's successes. */
export interface Sizes {
  sum: number;
  squares: number;
  /** Sum of its products with the pace. */
  products: number;
}

/** One bin while a window is read: its pace is of all sizes yet. */
export interface Cell {
  tally: Tally;
  sizes: Sizes;
}

/** `cancelled`, `content_filtered` and `invalid_request` are neither: the provider did its part. */
const FAILURES: readonly Status[] = [
  'error',
  'timeout',
  'rate_limited',
  'unauthorized',
  'invalid_response',
];
const SUCCESS_INDEX = STATUSES.indexOf('success');
const FAILURE_INDEXES = FAILURES.map((status) => STATUSES.indexOf(status));

/** What is given up on has usually taken a minute. */
export const TIMEOUT_MS = 60_000;
/**
 * What a failure of each status usually takes: rows hold the durations of successes alone. Rough
 * figures suffice, as it is whether a second or a minute was lost that matters.
 */
const FAILURE_MS: Partial<Record<Status, number>> = {
  error: 1_000,
  timeout: TIMEOUT_MS,
  rate_limited: 200,
  unauthorized: 200,
  invalid_response: 2_000,
};
const FAILURE_TIMES = FAILURES.map(
  (status) => [STATUSES.indexOf(status), FAILURE_MS[status]!] as const,
);

export function emptyTally(): Tally {
  return { success: 0, failure: 0, failureMs: 0, paceCount: 0, paceSum: 0, paceSquares: 0 };
}

export function addTally(into: Tally, tally: Tally, weight = 1): void {
  into.success += weight * tally.success;
  into.failure += weight * tally.failure;
  into.failureMs += weight * tally.failureMs;
  into.paceCount += weight * tally.paceCount;
  into.paceSum += weight * tally.paceSum;
  into.paceSquares += weight * tally.paceSquares;
}

export function successesOf(counts: StatusCounts): number {
  return counts[SUCCESS_INDEX] ?? 0;
}

export function failuresOf(counts: StatusCounts): number {
  let sum = 0;
  for (const index of FAILURE_INDEXES) sum += counts[index] ?? 0;
  return sum;
}

function failureMsOf(counts: StatusCounts): number {
  let sum = 0;
  FAILURE_TIMES.forEach(([index, ms]) => {
    sum += (counts[index] ?? 0) * ms;
  });
  return sum;
}

/** `usual`: the part of generating that is taken for the one of writers that do not say it. */
export function addRow(
  { tally, sizes }: Cell,
  row: { counts: StatusCounts; pace: Moments; generation?: Generation },
  weight: number,
  usual: number,
): void {
  tally.success += weight * successesOf(row.counts);
  tally.failure += weight * failuresOf(row.counts);
  tally.failureMs += weight * failureMsOf(row.counts);
  tally.paceCount += weight * row.pace[0];
  tally.paceSum += weight * row.pace[1];
  tally.paceSquares += weight * row.pace[2];
  const [count, sum] = row.pace;
  const generation = row.generation ?? [usual * count, usual * usual * count, usual * sum];
  sizes.sum += weight * generation[0];
  sizes.squares += weight * generation[1];
  sizes.products += weight * generation[2];
}
