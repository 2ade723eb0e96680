import { wallClock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import { topicsOf } from '../log/topics.js';
import { createMetrics } from '../observe/metrics.js';
import { ownerGone } from '../roles/attachment.js';
import { openEdge } from '../roles/edge.js';
import { startIngest } from '../roles/ingest.js';
import { openKafkaLog } from '../roles/kafka.js';
import { openParts } from '../roles/parts.js';
import type { CommandContext } from './context.js';
import { closeInTime, throwIfFailed } from './serve.js';

/** `airouter ingest`: one more door to the log; with Kafka it needs no Postgres. */
export async function run(context: CommandContext): Promise<void> {
  const { config, logger, stop } = context;
  const closers: (() => Promise<void>)[] = [];
  try {
    const edge = await openEdge(config, logger, wallClock);
    closers.unshift(edge.close);
    const kafka = openKafkaLog({ config, logger });
    const parts = kafka === null ? await openParts(context, 'attach') : null;
    const log = kafka ?? parts!.log;
    closers.unshift(() => (parts ?? log).close());
    const ingest = await startIngest({
      config,
      logger,
      clock: wallClock,
      metrics: createMetrics(),
      log,
      topics: topicsOf(config.namespace),
      access: edge.access,
      overload: edge.overload,
    });
    closers.unshift(ingest.close);
    context.progress(`AiRouter takes outcomes on http://${config.host}:${ingest.port}`);
    const attachedTo = config.databaseUrl === null ? (parts?.attachedTo ?? null) : null;
    await ownerGone({ config, attachedTo }, stop);
    if (!stop.aborted) throw ownerLost(config.dataDir);
    throwIfFailed(stop);
  } finally {
    await closeInTime(closers, config.shutdownTimeoutMs, logger);
  }
}

/** Its log is behind another address now, or behind none. */
function ownerLost(dataDir: string): AiRouterError {
  return new AiRouterError(
    'owner_required',
    `the owner of ${dataDir}, which held the log, is gone: start \`airouter ingest\` again after it`,
  );
}
