import { wallClock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import { createMetrics } from '../observe/metrics.js';
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
    const router = await startRouter({ config, logger, metrics, clock: wallClock, hotKeys });
    context.progress(`AiRouter answers on http://${config.host}:${router.port}`);
    await serveUntilStopped(context, [router.close]);
  } finally {
    await hotKeys.close();
  }
}
