/**
 * The last moment whose 5 s tick is a 32-bit integer, in the year 2310. Brokers stamp records by
 * their own clock, but a copied log keeps what its producers claimed.
 */
const RECORD_MS_MAX = 2 ** 31 * 5_000 - 1;

/** The time of a record as the fold takes it: what lies out of bounds counts at the bound. */
export function recordTimeMs(timestampMs: number): number {
  return Math.min(Math.max(timestampMs, 0), RECORD_MS_MAX);
}
