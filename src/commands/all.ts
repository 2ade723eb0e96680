import { wallClock } from '../clock.js';
import { createMetrics } from '../observe/metrics.js';
import { createDecisionLog, httpTarget } from '../roles/decision-log.js';
import { openEdge } from '../roles/edge.js';
import { requireFreePort } from '../roles/free-port.js';
import { openIngest } from '../roles/ingest.js';
import { openHotKeys, openParts } from '../roles/parts.js';
import { type Projector, startProjector } from '../roles/project.js';
import { startRouter } from '../roles/route.js';
import type { CommandContext } from './context.js';
import { closeInTime, serveUntilStopped } from './serve.js';

/**
 * `airouter all`: every role in one process, on one port. When it stops, reading the log ends beside
 * the doors: a log that does not answer holds up both, and there is one time for all.
 */
export async function run(context: CommandContext): Promise<void> {
  const { config, logger } = context;
  const closers: (() => Promise<void>)[] = [];
  try {
    const edge = await openEdge(config, logger, wallClock);
    closers.unshift(edge.close);
    const { access, overload } = edge;
    await requireFreePort(config);
    const parts = await openParts(context, 'own');
    closers.unshift(parts.close);
    const metrics = createMetrics();
    const hotKeys = (await openHotKeys(parts, 'required'))!;
    closers.unshift(() => hotKeys.close());
    let projector: Projector | null = null;
    let projectorClosed: Promise<void> | null = null;
    const closeProjector = async (): Promise<void> => {
      projectorClosed ??= projector?.close() ?? Promise.resolve();
      await projectorClosed;
    };
    closers.unshift(closeProjector);
    const common = { config, logger, metrics, clock: wallClock, hotKeys, fail: context.fail };
    const deadline = { deadlineMs: config.shutdownTimeoutMs / 4 };
    const ingest = await openIngest({ ...parts, ...common, access });
    closers.unshift(() => ingest.close(deadline));
    const { ingestUrl, apiKey, decisionLog: share } = config;
    const target = ingestUrl === null ? ingest.decisions : httpTarget(ingestUrl, apiKey, logger);
    const decisions = createDecisionLog({ target, share, metrics, logger });
    closers.unshift(() => decisions.close(deadline));
    const router = await startRouter({
      ...common,
      access,
      overload,
      ownerToken: parts.owner!.token,
      onDecision: decisions.record,
      register: ingest.register,
    });
    closers.unshift(router.close);
    projector = await startProjector({
      ...parts,
      ...common,
      timestampType: 'LogAppendTime',
    });
    closers.unshift(async () => {
      ingest.stopWaiting(deadline.deadlineMs);
      void closeProjector().catch(() => {});
    });
    await parts.owner!.publish(router.port);
    context.progress(`AiRouter answers on http://${config.host}:${router.port}`);
    await serveUntilStopped(context, closers.splice(0));
  } finally {
    await closeInTime(closers, config.shutdownTimeoutMs, logger);
  }
}
