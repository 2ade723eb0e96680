import { wallClock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import { createMetrics, type Metrics } from '../observe/metrics.js';
import { createDecisionLog, type DecisionLog, httpTarget } from '../roles/decision-log.js';
import { openEdge } from '../roles/edge.js';
import { redisHotKeys, startRouter } from '../roles/route.js';
import { type Mint, virtualMint } from '../route/mint.js';
import { seedOf } from './arguments.js';
import type { CommandContext } from './context.js';
import { serveUntilStopped } from './serve.js';

/**
 * `airouter route`: one more router on the hot keys in Redis. With `--virtual-seed` it decides in
 * virtual time, for closed loops only.
 */
export async function run(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  const { config, logger } = context;
  const mint = mintOf(context, options['virtualSeed']);
  if (config.redisUrl === null) {
    throw new AiRouterError(
      'owner_required',
      'REDIS_URL is not set: a router of its own needs the hot keys in Redis',
    );
  }
  const { access, overload, close: closeEdge } = await openEdge(config, logger, wallClock);
  const hotKeys = redisHotKeys(config, logger);
  try {
    const metrics = createMetrics();
    const common = {
      config,
      logger,
      metrics,
      clock: wallClock,
      hotKeys,
      access,
      overload,
      ...mint,
    };
    const decisions = openDecisionLog(context, metrics);
    const router = await startRouter(
      decisions === null ? common : { ...common, onDecision: decisions.record },
    );
    context.progress(`AiRouter answers on http://${config.host}:${router.port}`);
    const deadline = { deadlineMs: config.shutdownTimeoutMs / 2 };
    await serveUntilStopped(context, [router.close, async () => decisions?.close(deadline)]);
  } finally {
    await closeEdge();
    await hotKeys.close();
  }
}

/**
 * It would take the time of real requests from whoever sends them, so it is kept from the
 * installation's own namespace. Whether the namespace's log is a simulated one only Kafka knows,
 * which a router does not speak to.
 */
function mintOf({ config }: CommandContext, virtualSeed: unknown): { mint?: Mint } {
  if (virtualSeed === undefined) return {};
  if (config.namespace !== '') return { mint: virtualMint(seedOf('--virtual-seed', virtualSeed)) };
  throw new AiRouterError(
    'invalid_usage',
    '--virtual-seed must be given with --namespace: it is for closed loops in virtual time',
    { field: '--virtual-seed', rule: 'given with --namespace' },
  );
}

/** The log is behind the ingest role; a router without one decides all the same. */
function openDecisionLog({ config, logger }: CommandContext, metrics: Metrics): DecisionLog | null {
  const { ingestUrl, apiKey, decisionLog: share } = config;
  if (share === 0) return null;
  if (ingestUrl !== null) {
    return createDecisionLog({
      target: httpTarget(ingestUrl, apiKey, logger),
      share,
      metrics,
      logger,
    });
  }
  logger.warn({}, 'AIROUTER_INGEST_URL is not set: decisions are not logged.');
  return null;
}
