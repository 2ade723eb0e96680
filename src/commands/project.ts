import { wallClock } from '../clock.js';
import { createMetrics } from '../observe/metrics.js';
import { openHotKeys, openParts } from '../roles/parts.js';
import { startProjector } from '../roles/project.js';
import type { CommandContext } from './context.js';
import { serveUntilStopped } from './serve.js';

/** `airouter project`: one more projector; its hot keys go to Redis or to the folder's owner. */
export async function run(context: CommandContext): Promise<void> {
  const closers: (() => Promise<void>)[] = [];
  try {
    const parts = await openParts(context, 'attach');
    closers.unshift(parts.close);
    const hotKeys = (await openHotKeys(parts, 'required'))!;
    closers.unshift(() => hotKeys.close());
    const projector = await startProjector({
      ...parts,
      clock: wallClock,
      metrics: createMetrics(),
      hotKeys,
      timestampType: 'LogAppendTime',
    });
    closers.unshift(projector.close);
    context.progress(`Folding into ${parts.schema}`);
    await serveUntilStopped(context, closers.splice(0));
  } finally {
    for (const close of closers) await close();
  }
}
