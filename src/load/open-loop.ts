import { randomBytes } from 'node:crypto';
import { WRITE_RETRY } from '../backoff.js';
import { wallClock } from '../clock.js';
import type { CommandContext } from '../commands/context.js';
import { routeBodyOf } from '../demo/requests.js';
import { uuidV7 } from '../event/uuid.js';
import { createPublisher, type Publisher } from '../publish/publisher.js';
import { type AcknowledgedBatch, watchedWriter } from './acknowledgements.js';
import { type FreshnessReport, type FreshnessWatch, watchFreshness } from './freshness.js';
import { Latencies, type Percentiles } from './latencies.js';
import { type RequestsReport, RouteRequests } from './requests.js';
import { atConstantRate, preciseNowMs } from './schedule.js';
import type { LoadTarget } from './target.js';
import { createTraffic } from './traffic.js';

export interface OpenLoopOptions {
  context: CommandContext;
  target: LoadTarget;
  seed: string;
  /** Outcomes a second, and requests where there is a URL. */
  rate: number;
  seconds: number;
  /** Null = only outcomes. */
  routeUrl: string | null;
}

/** All times in ms, from the moment at which an outcome or a request was due. */
export interface OpenLoopResult {
  loop: 'open';
  seed: string;
  rate: number;
  seconds: number;
  outcomes: number;
  acknowledged: number;
  dropped: number;
  /** Until this process came to it: how far it fell behind its own schedule. */
  late_ms: Percentiles | null;
  ack_ms: Percentiles | null;
  /** Until a snapshot had it; null = the hot keys cannot be reached. */
  freshness_ms: FreshnessReport | null;
  route_ms: RequestsReport | null;
}

/** How long is waited at the end for acknowledgements, and then for snapshots. */
const END_TIMEOUT_MS = 30_000;

/** Outcomes at a constant rate in real time, through the publisher that services use. */
export async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const { context, target, seed, rate, seconds, routeUrl } = options;
  const { config, logger, stop } = context;
  const { hotKeys, outcomesTopic: topic } = target;
  const acknowledged = new Latencies();
  const late = new Latencies();
  const freshness =
    hotKeys === null
      ? null
      : watchFreshness({ hotKeys, topic, pollIntervalMs: config.pollIntervalMs, logger });
  const publisher = createLoadPublisher(options, (batch) => {
    for (const dueMs of batch.dueMs) acknowledged.add(batch.acknowledgedMs - dueMs);
    freshness?.published(batch);
  });
  const requests = routeUrl === null ? null : new RouteRequests(routeUrl, context.config.apiKey);
  const traffic = createTraffic(seed, preciseNowMs(), seconds);
  try {
    await atConstantRate({
      rate,
      seconds,
      stop,
      onDue(index, dueMs) {
        late.add(preciseNowMs() - dueMs);
        const request = traffic.request(index);
        publisher.record(traffic.outcome(index, request, dueMs));
        requests?.send(routeBodyOf(request), dueMs);
      },
    });
    await settle(publisher, requests, freshness);
    const { acknowledged: taken, dropped } = publisher.stats();
    return {
      loop: 'open',
      seed,
      rate,
      seconds,
      outcomes: late.count,
      acknowledged: taken,
      dropped: Object.values(dropped).reduce((sum, count) => sum + count, 0),
      late_ms: late.percentiles(),
      ack_ms: acknowledged.percentiles(),
      freshness_ms: freshness?.report() ?? null,
      route_ms: requests?.report() ?? null,
    };
  } finally {
    await publisher.close({ deadlineMs: 1_000 });
    requests?.close();
    await freshness?.close();
  }
}

async function settle(
  publisher: Publisher,
  requests: RouteRequests | null,
  freshness: FreshnessWatch | null,
): Promise<void> {
  await Promise.all([publisher.close({ deadlineMs: END_TIMEOUT_MS }), requests?.settled()]);
  await freshness?.settled(END_TIMEOUT_MS);
}

function createLoadPublisher(
  { context, target }: OpenLoopOptions,
  onAcknowledged: (batch: AcknowledgedBatch) => void,
): Publisher {
  const { config, logger } = context;
  return createPublisher({
    log: watchedWriter(target.log, onAcknowledged),
    topic: target.outcomesTopic,
    partitions: target.partitions,
    clock: wallClock,
    publisherId: () => uuidV7(Date.now(), randomBytes(16)),
    lingerMs: config.publishLingerMs,
    queueMax: config.publishQueueMax,
    spoolDir: null,
    spoolBytesMax: config.spoolBytesMax,
    retry: WRITE_RETRY,
    logger,
  });
}
