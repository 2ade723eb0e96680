import { createRequire } from 'node:module';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import type { Logger } from '../observe/logger.js';

/** The version whose defect this is; package.json pins it. */
const DEFECTIVE_VERSION = '2.2.4';
/** kafkajs' own interval for requests that wait for one in flight. */
const CHECK_INTERVAL_MS = 10;

let isDone = false;

/**
 * kafkajs 2.2.4 runs a timer without end on each connection: it looks for waiting requests also
 * where there are none, and at once, since the time it computes lies in the past. Ten idle
 * connections cost 6 % of a core. Repaired, it looks only while requests wait.
 */
export function repairRequestQueue(logger: Pick<Logger, 'warn'> | null): void {
  if (isDone) return;
  isDone = true;
  const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string };
  if (
    version !== DEFECTIVE_VERSION ||
    typeof RequestQueue.prototype.scheduleCheckPendingRequests !== 'function'
  ) {
    logger?.warn(
      { version },
      'kafkajs is not the version that was tested; its timer is untouched.',
    );
    return;
  }
  RequestQueue.prototype.scheduleCheckPendingRequests = scheduleCheck;
}

function scheduleCheck(this: RequestQueue): void {
  if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    Math.max(CHECK_INTERVAL_MS, this.throttledUntil - Date.now()),
  );
}
