import { decode } from '../event/decode.js';
import type { LogWriter, NewRecord } from '../log/port.js';
import { preciseNowMs } from './schedule.js';

/** One batch that the log has taken. */
export interface AcknowledgedBatch {
  partition: number;
  offset: number;
  acknowledgedMs: number;
  /** When its outcomes ended, which for a load is when they were due. */
  dueMs: readonly number[];
}

/** Watches a publisher from below: tells of each batch once it is in the log. */
export function watchedWriter(
  log: LogWriter,
  onAcknowledged: (batch: AcknowledgedBatch) => void,
): LogWriter {
  return {
    async append(topic, partition, records) {
      const offset = await log.append(topic, partition, records);
      const acknowledgedMs = preciseNowMs();
      for (const [index, record] of records.entries()) {
        const dueMs = endsOf(record);
        onAcknowledged({ partition, offset: offset + index, acknowledgedMs, dueMs });
      }
      return offset;
    },
  };
}

function endsOf({ value, headers }: NewRecord): number[] {
  const decoded = decode(value, headers ?? {});
  if ('failed' in decoded || decoded.type !== 'OutcomeBatch') return [];
  return decoded.value.outcomes.map(({ occurred_at }) => occurred_at);
}
