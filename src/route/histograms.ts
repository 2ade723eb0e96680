import { HISTOGRAM_BUCKETS } from '../fold/histogram.js';
import type { LatencyMetric, LatencyRow } from '../hotkeys/values.js';
import { FIRST_ATTEMPTS_MIN } from './window.js';

export const WINDOW_MINUTES = 30;

/**
 * Counts of all buckets over the minutes before as-of, for one metric and one kind of answer:
 * of first attempts, or of all where those are too few.
 */
export function mergeHistograms(
  rows: readonly LatencyRow[],
  metric: LatencyMetric,
  stream: boolean,
  asOf: number,
  windowMinutes = WINDOW_MINUTES,
): Float64Array {
  const from = Math.floor(asOf / 60) - windowMinutes;
  const counts = new Float64Array(HISTOGRAM_BUCKETS);
  const wanted = rows.filter(
    (row) => row.metric === metric && row.stream === stream && row.minute > from,
  );
  for (const row of wanted) if (!row.fallback) addRow(counts, row);
  if (countOf(counts) < FIRST_ATTEMPTS_MIN) {
    for (const row of wanted) if (row.fallback) addRow(counts, row);
  }
  return counts;
}

export function countOf(counts: Float64Array): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

function addRow(counts: Float64Array, { histogram }: LatencyRow): void {
  const first = histogram[0] ?? 0;
  for (let i = 1; i < histogram.length; i++) counts[first + i - 1]! += histogram[i]!;
}
