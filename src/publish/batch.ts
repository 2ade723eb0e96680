import type { Headers } from '../log/port.js';

/**
 * An assembled batch: bytes that never change again. They are sent as they are, as often as it
 * takes, to the partition that they were made for.
 */
export interface Batch {
  /** OutcomeBatch in Confluent wire format */
  value: Buffer;
  headers: Headers;
  /** Outcomes in `value`. */
  outcomes: number;
  /** ms since the epoch; its age decides when it expires */
  assembledAtMs: number;
  /** True where an earlier process accepted and spooled it. */
  isRecovered: boolean;
}
