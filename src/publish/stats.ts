/**
 * Why an outcome did not get into the log. The first three turn it away at the door: `record`
 * answered `dropped`. The last two lose one that had been accepted; where its batch had been sent
 * without an answer, it may be in the log all the same.
 */
const DROP_REASONS = ['queue_full', 'spool_full', 'after_close', 'expired', 'closed'] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/**
 * In outcomes, unless the name says otherwise. At every moment
 * `accepted + recovered = acknowledged + dropped.expired + dropped.closed + queued + inSpool`.
 */
export interface PublisherStats {
  accepted: number;
  acknowledged: number;
  dropped: Record<DropReason, number>;
  /** Broken rules, by `field: rule`. */
  refused: Record<string, number>;
  /** Held in memory now. */
  queued: number;
  queuedBytes: number;
  batchesAcknowledged: number;
  /** Appends that rejected; each is made again. */
  appendsRejected: number;
  /** Partitions whose last append rejected. */
  partitionsFailing: number;
  /** Written to the spool since the start. */
  spooled: number;
  /** Of this process, in the spool now. */
  inSpool: number;
  /** Of earlier processes, met in the spool so far. */
  recovered: number;
  spoolBytes: number;
  /** Ends of segments that a write did not finish, cut off. */
  spoolTornTails: number;
  /** Bytes that could not be read back; how many outcomes they held is unknown. */
  spoolDamagedBytes: number;
  spoolErrors: number;
}

export function emptyStats(): PublisherStats {
  return {
    accepted: 0,
    acknowledged: 0,
    dropped: { queue_full: 0, spool_full: 0, after_close: 0, expired: 0, closed: 0 },
    refused: {},
    queued: 0,
    queuedBytes: 0,
    batchesAcknowledged: 0,
    appendsRejected: 0,
    partitionsFailing: 0,
    spooled: 0,
    inSpool: 0,
    recovered: 0,
    spoolBytes: 0,
    spoolTornTails: 0,
    spoolDamagedBytes: 0,
    spoolErrors: 0,
  };
}
