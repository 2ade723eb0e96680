import type { CommandContext } from '../commands/context.js';
import { emptyNamespace } from '../demo/namespace.js';
import { type DemoResult, printAnswer } from '../demo/report.js';
import { openTracedLoop } from '../demo/traced-loop.js';
import { VirtualClock } from '../demo/virtual-clock.js';
import type { Parts } from '../roles/parts.js';
import { RemoteRouter } from './remote-router.js';

export interface RemoteLoopOptions {
  context: CommandContext;
  parts: Parts;
  seed: string;
  minutes: number | null;
  url: string;
}

/** The demo's closed loop with its projectors and its router in other processes. */
export async function runRemoteLoop(options: RemoteLoopOptions): Promise<DemoResult> {
  const { context, parts, seed, url } = options;
  const { namespace, partitions } = context.config;
  await emptyNamespace(parts.log, parts.pool, parts.topics, namespace, partitions);
  context.stop.throwIfAborted();
  const clock = new VirtualClock();
  const router = new RemoteRouter({
    url,
    apiKey: context.config.apiKey,
    seed,
    parts,
    stop: context.stop,
  });
  const traced = await openTracedLoop({
    ...options,
    clock,
    caller: router,
    // Routers hand their decisions to the ingest role, where they are told of one.
    logDecisions: async () => {},
    snapshotCaughtUp: () => router.caughtUp(clock.nowMs()),
  });
  try {
    context.progress(
      `Waiting for: airouter project --namespace ${namespace}, and ` +
        `airouter route --namespace ${namespace} --virtual-seed ${seed} on ${url}`,
    );
    const result = await traced.run();
    printAnswer(context, result, url);
    return result;
  } finally {
    await traced.close();
  }
}
