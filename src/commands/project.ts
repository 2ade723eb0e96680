import { setTimeout as sleep } from 'node:timers/promises';
import { wallClock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import { createMetrics } from '../observe/metrics.js';
import { ownerGone } from '../roles/attachment.js';
import { openHotKeys, openParts } from '../roles/parts.js';
import { startProjector } from '../roles/project.js';
import { startProjectServer } from '../roles/project-server.js';
import type { CommandContext } from './context.js';
import { closeInTime, throwIfFailed } from './serve.js';

/** How often a projector looks for the owner of its folder, which starts or comes back. */
const ATTACH_AGAIN_MS = 500;

/**
 * `airouter project`: one more projector; its hot keys go to Redis or to the folder's owner. When
 * that owner ends, it waits for the next one, which may have another address, and goes on there.
 */
export async function run(context: CommandContext): Promise<void> {
  const { stop, progress, config } = context;
  await projectWhileOwned(context);
  while (!stop.aborted) {
    progress(`The owner of ${config.dataDir} is gone; waiting for the next one.`);
    await attachAgain(context);
  }
  throwIfFailed(stop);
}

async function attachAgain(context: CommandContext): Promise<void> {
  while (!context.stop.aborted) {
    try {
      await projectWhileOwned(context);
      return;
    } catch (error) {
      if (!isForWantOfOwner(error)) throw error;
      await sleep(ATTACH_AGAIN_MS, undefined, { signal: context.stop }).catch(() => {});
    }
  }
}

/** Its server may be stopping or starting just now. */
function isForWantOfOwner(error: unknown): boolean {
  const codes = ['owner_required', 'database_unavailable', 'log_unavailable'];
  return error instanceof AiRouterError && codes.includes(error.code);
}

/** Resolves when the first signal came, or the owner that it attached to is gone. */
async function projectWhileOwned(context: CommandContext): Promise<void> {
  const { config, logger, stop } = context;
  const closers: (() => Promise<void>)[] = [];
  try {
    const parts = await openParts(context, 'attach');
    closers.unshift(parts.close);
    const hotKeys = (await openHotKeys(parts, 'required'))!;
    closers.unshift(() => hotKeys.close());
    const metrics = createMetrics();
    const projector = await startProjector({
      ...parts,
      clock: wallClock,
      metrics,
      hotKeys,
      timestampType: 'LogAppendTime',
      fail: context.fail,
    });
    closers.unshift(projector.close);
    const server = await startProjectServer({ config, logger, metrics, projector });
    closers.unshift(server.close);
    if (server.port !== null) {
      context.progress(`The projector answers on http://${config.host}:${server.port}`);
    }
    context.progress(`Folding into ${parts.schema}`);
    await ownerGone(parts, stop);
  } finally {
    await closeInTime(closers, config.shutdownTimeoutMs, logger);
  }
}
