import { wallClock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import { createMetrics, type Metrics } from '../observe/metrics.js';
import { createDecisionLog, type DecisionLog, httpTarget } from '../roles/decision-log.js';
import { redisHotKeys, startRouter } from '../roles/route.js';
import type { CommandContext } from './context.js';
import { serveUntilStopped } from './serve.js';

/** `airouter route`: one more router on the hot keys in Redis. */
export async function run(context: CommandContext): Promise<void> {
  const { config, logger } = context;
  if (config.redisUrl === null) {
    throw new AiRouterError(
      'owner_required',
      'REDIS_URL is not set: a router of its own needs the hot keys in Redis',
    );
  }
  const hotKeys = redisHotKeys(config, logger);
  try {
    const metrics = createMetrics();
    const common = { config, logger, metrics, clock: wallClock, hotKeys };
    const decisions = openDecisionLog(context, metrics);
    const router = await startRouter(
      decisions === null ? common : { ...common, onDecision: decisions.record },
    );
    context.progress(`AiRouter answers on http://${config.host}:${router.port}`);
    const deadline = { deadlineMs: config.shutdownTimeoutMs / 2 };
    await serveUntilStopped(context, [router.close, async () => decisions?.close(deadline)]);
  } finally {
    await hotKeys.close();
  }
}

/** The log is behind the ingest role; a router without one decides all the same. */
function openDecisionLog({ config, logger }: CommandContext, metrics: Metrics): DecisionLog | null {
  const { ingestUrl, decisionLog: share } = config;
  if (share === 0) return null;
  if (ingestUrl !== null) {
    return createDecisionLog({ target: httpTarget(ingestUrl, logger), share, metrics, logger });
  }
  logger.warn({}, 'AIROUTER_INGEST_URL is not set: decisions are not logged.');
  return null;
}
