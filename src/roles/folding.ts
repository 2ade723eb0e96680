import { AiRouterError, asAiRouterError } from '../errors.js';
import type { PartitionReport } from '../log/partition-report.js';
import type { ConsumerHandlers, LogAdmin, LogConsumer } from '../log/port.js';
import { within } from '../log/within.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { ProgressWatch } from './progress-watch.js';

export interface FoldingOptions {
  log: Pick<LogAdmin, 'bounds'>;
  metrics: Metrics;
  logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  watchdogMs: number;
  /** A new consumer and what it hands its batches to: nothing of the last one is used again. */
  open(): { consumer: LogConsumer; handlers: ConsumerHandlers };
  /** This process cannot go on: its supervisor starts another one. */
  fail(error: AiRouterError): void;
}

export interface Folding {
  /** False while it is behind without a sign of life. */
  isAlive(): boolean;
  report(report: PartitionReport): void;
  close(): Promise<void>;
}

/** So many looks fit into the time after which a partition is stuck. */
const LOOKS_A_WATCHDOG = 4;
/** Of a consumer that hangs: what it still holds is guarded by the checkpoints. */
const CLOSE_TIMEOUT_MS = 10_000;

/**
 * Keeps a consumer at work. One that is stuck is thrown away and made anew; where that one is stuck
 * too, the process ends. Resolves once the first one takes part.
 */
export async function startFolding(options: FoldingOptions): Promise<Folding> {
  const { log, metrics, logger, watchdogMs } = options;
  const watch = new ProgressWatch({ log, metrics, watchdogMs });
  let consumer = await open(options, watch);
  let restartedMs = Number.NEGATIVE_INFINITY;
  let isClosed = false;
  let looking: Promise<void> = Promise.resolve();

  const look = async (): Promise<void> => {
    // Who cannot ask the log does not know; the consumer's own tries go on.
    await watch.look().catch(() => {});
    if (isClosed || watch.stuck.length === 0) return;
    const [place] = watch.stuck;
    const fields = { ...place, partitions: watch.stuck.length, watchdogMs };
    // Long enough for the new one to be found stuck as well.
    if (performance.now() - restartedMs < 2 * watchdogMs) {
      logger.error(fields, 'Reading is stuck again; the process ends.');
      options.fail(new AiRouterError('log_unavailable', stuckMessage(watchdogMs)));
      isClosed = true;
      return;
    }
    logger.warn(fields, 'Reading is stuck: behind, and without a sign of life. It begins anew.');
    await restart();
    restartedMs = performance.now();
  };

  const restart = async (): Promise<void> => {
    await within(consumer.close(), CLOSE_TIMEOUT_MS, '').catch(() => {});
    watch.clear();
    try {
      consumer = await open(options, watch);
    } catch (error) {
      isClosed = true;
      options.fail(asAiRouterError(error));
    }
  };

  const timer = setInterval(() => {
    looking = looking.then(() => (isClosed ? undefined : look()));
  }, watchdogMs / LOOKS_A_WATCHDOG);
  return {
    isAlive: () => watch.stuck.length === 0,
    report: (report) => watch.report(report),
    async close() {
      isClosed = true;
      clearInterval(timer);
      await consumer.close();
    },
  };
}

async function open(options: FoldingOptions, watch: ProgressWatch): Promise<LogConsumer> {
  const { consumer, handlers } = options.open();
  await consumer.start(watch.watched(handlers));
  return consumer;
}

function stuckMessage(watchdogMs: number): string {
  return `the projector is behind and gave no sign of life for ${watchdogMs} ms, twice`;
}
