import { reasonText } from '../hotkeys/state-log.js';
import type { PartitionReport } from '../log/partition-report.js';
import type { Logger } from '../observe/logger.js';

/** How often trouble that goes on is said again. */
const REPEAT_MS = 30_000;

/**
 * What a consumer reports, as lines: each stop and each way on; of tries, which come several times
 * a second and from every partition, one line in half a minute.
 */
export function partitionLog(
  logger: Pick<Logger, 'info' | 'warn' | 'error'>,
  nowMs: () => number = () => performance.now(),
): (report: PartitionReport) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  let unsaid = 0;
  return (report) => {
    const place = { ...report.partition };
    if (report.kind === 'resumed') {
      logger.info(place, 'A partition goes on.');
      return;
    }
    const reason = reasonText(report.error);
    if (report.kind === 'stopped') {
      logger.error({ ...place, reason }, 'A partition stopped.');
      return;
    }
    unsaid += 1;
    if (nowMs() - lastMs < REPEAT_MS) return;
    lastMs = nowMs();
    logger.warn({ ...place, reason, tries: unsaid }, 'A partition is tried again.');
    unsaid = 0;
  };
}
