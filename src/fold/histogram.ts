/**
 * The fixed log-linear histogram of latencies: 8 buckets an octave, so a percentile is right to
 * one bucket (half a bucket is 6.3 % of the value). Merged by addition, hence equal at any width
 * of window and in any order. The same arithmetic stands in SQL (histogram_quantile).
 *
 * Values 0..7 have a bucket each; from 8 on each octave [2^e, 2^(e+1)) is cut in 8 equal parts.
 */
export const HISTOGRAM_BUCKETS = 158;

/** The largest value with a bucket of its own: 1 h in ms, 3.6 s in µs. Larger ones share the last. */
export const HISTOGRAM_VALUE_MAX = 3_600_000;

/** Bucket of a non-negative integer. */
export function bucketOf(value: number): number {
  if (value < 8) return value;
  const clamped = value > HISTOGRAM_VALUE_MAX ? HISTOGRAM_VALUE_MAX : value;
  const octave = 31 - Math.clz32(clamped);
  return 8 + (octave - 3) * 8 + ((clamped >> (octave - 3)) & 7);
}

/** Least value of a bucket. */
export function bucketLow(bucket: number): number {
  if (bucket < 8) return bucket;
  const octave = 3 + ((bucket - 8) >> 3);
  return (8 + ((bucket - 8) & 7)) << (octave - 3);
}

/** Greatest value of a bucket. */
export function bucketHigh(bucket: number): number {
  return bucketLow(bucket + 1) - 1;
}

/**
 * The quantile of a histogram whose first count is that of bucket `firstBucket`: the greatest
 * value of the bucket that holds the value of rank ceil(total * perMille / 1000), nearest-rank
 * method. Null where the histogram is empty.
 */
export function quantileOf(
  counts: ArrayLike<number>,
  firstBucket: number,
  perMille: number,
): number | null {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  if (total === 0) return null;
  let left = Math.max(1, Math.ceil((total * perMille) / 1000));
  for (let i = 0; i < counts.length; i++) {
    left -= counts[i]!;
    if (left <= 0) return bucketHigh(firstBucket + i);
  }
  return null;
}
