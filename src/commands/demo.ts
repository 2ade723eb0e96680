import { wallClock } from '../clock.js';
import type { Config } from '../config.js';
import { StepDecisions } from '../demo/decisions.js';
import { runDemo } from '../demo/demo.js';
import { DEMO_NAMESPACE, emptyNamespace } from '../demo/namespace.js';
import { VirtualClock } from '../demo/virtual-clock.js';
import { createMetrics } from '../observe/metrics.js';
import { requireFreePort } from '../roles/free-port.js';
import { openHotKeys, openParts } from '../roles/parts.js';
import { startProjector } from '../roles/project.js';
import { startRouter } from '../roles/route.js';
import { virtualMint } from '../route/mint.js';
import { minutesOf, seedOf } from './arguments.js';
import type { CommandContext } from './context.js';
import { closeInTime, throwIfFailed } from './serve.js';

/** `airouter demo`: every role in this process, and a world of callers and providers around it. */
export async function run(base: CommandContext, options: Record<string, unknown>): Promise<void> {
  const seed = seedOf('--seed', options['seed']);
  const minutes = minutesOf(options['minutes']);
  const context = { ...base, config: demoConfig(base.config) };
  const { config, logger } = context;
  const closers: (() => Promise<void>)[] = [];
  try {
    await requireFreePort(config);
    const isAlone = options['externalProjector'] !== true;
    // The same seed makes the same run again.
    const parts = await openParts(context, 'own', { singleNode: true, isDisposable: isAlone });
    closers.unshift(parts.close);
    const { log, pool, topics } = parts;
    await emptyNamespace(log, pool, topics, config.namespace, config.partitions);
    context.stop.throwIfAborted();
    const metrics = createMetrics();
    const hotKeys = (await openHotKeys(parts, 'required'))!;
    closers.unshift(() => hotKeys.close());
    const common = { config, logger, metrics, clock: wallClock, hotKeys, fail: context.fail };
    const decisions = new StepDecisions();
    const clock = new VirtualClock();
    const router = await startRouter({
      ...common,
      onDecision: decisions.record,
      mint: virtualMint(seed),
      asOfClock: clock,
      ownerToken: parts.owner!.token,
    });
    closers.unshift(router.close);
    await parts.owner!.publish(router.port);
    if (isAlone) {
      const projector = await startProjector({
        ...parts,
        ...common,
        timestampType: 'CreateTime',
      });
      closers.unshift(projector.close);
    } else {
      context.progress(`Waiting for: airouter project --namespace ${config.namespace}`);
    }
    const once = options['once'] === true;
    await runDemo({ context, parts, router, decisions, clock, seed, minutes, once });
    throwIfFailed(context.stop);
  } finally {
    await closeInTime(closers, config.shutdownTimeoutMs, logger);
  }
}

/** A run owns its namespace, and the router follows each step at once. */
function demoConfig(config: Config): Config {
  return {
    ...config,
    namespace: config.namespace === '' ? DEMO_NAMESPACE : config.namespace,
    pollIntervalMs: Math.min(config.pollIntervalMs, 10),
  };
}
