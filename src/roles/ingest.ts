import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.js';
import { localAccess } from '../access/local-access.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import { AiRouterError, asAiRouterError } from '../errors.js';
import type { Decision } from '../event/outcome.js';
import { brokenRuleOfDecision } from '../event/rules.js';
import { uuidV7 } from '../event/uuid.js';
import { registerIngest } from '../ingest/app.js';
import { type Entries, entriesOf } from '../ingest/entries.js';
import { Intake } from '../ingest/intake.js';
import type { Read } from '../ingest/item.js';
import { RecordWriter } from '../ingest/record-writer.js';
import type { Log } from '../log/port.js';
import type { Topics } from '../log/topics.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { registerMetrics } from '../route/app.js';
import { registerDocs } from '../route/docs/register.js';
import type { OverloadLimits } from '../route/overload.js';
import { health, readiness } from '../route/pages-schema.js';
import { createServer } from '../route/server.js';
import type { DecisionTarget } from './decision-log.js';
import { listen } from './listen.js';
import { createMissingTopics, sayWeaknesses } from './topics.js';

export interface IngestParts {
  config: Config;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  log: Log;
  topics: Topics;
  /** By default only programs on this machine are served. */
  access?: Access;
  /** By default nothing is refused for it. */
  overload?: OverloadLimits;
}

export interface Ingest {
  /** Adds the role's routes to a server. */
  register(app: FastifyInstance): void;
  /** Takes decisions of a router in this process. */
  decisions: DecisionTarget;
  /** True while the log does not take what was sent. */
  isFailing(): boolean;
  /** After so long calls wait for the log no more: they are told to send the same again. */
  stopWaiting(afterMs: number): void;
  /** Waits for what is under way. */
  close(deadline: { deadlineMs: number }): Promise<void>;
}

/** The `ingest` role without a server of its own: what is sent becomes records of the log. */
export async function openIngest(parts: IngestParts): Promise<Ingest> {
  const { config, clock, logger, metrics, log, topics, access = localAccess } = parts;
  await createMissingTopics(log, topics, config, 'LogAppendTime');
  const { outcomes, summaries, inflight, decisions } = topics;
  const partitions = await log.partitions([outcomes, summaries, inflight, decisions]);
  const writer = new RecordWriter({
    log,
    outcomesTopic: outcomes,
    publisherId: () => uuidV7(clock.nowMs(), randomBytes(16)),
    acknowledgeMs: config.ingestTimeoutMs,
    heldBytesMax: config.ingestBytesMax,
    logger,
  });
  const places = { topics, partitions };
  return {
    register(app) {
      const bodiesBytesMax = config.ingestBytesMax;
      registerIngest(app, { writer, places, bodiesBytesMax, clock, access, metrics });
    },
    decisions: ownDecisions(writer, entriesOf(places)),
    isFailing: () => writer.isFailing,
    stopWaiting: (afterMs) => writer.stopWaiting(afterMs),
    close: (deadline) => writer.close(deadline),
  };
}

/** Decisions of this process need no HTTP; what the log never takes is refused, as there. */
function ownDecisions(writer: RecordWriter, entries: Entries): DecisionTarget {
  const checked = (decision: Decision): Read<Decision> => {
    const broken = brokenRuleOfDecision(decision);
    return broken === null ? { value: decision } : { broken };
  };
  return {
    async deliver(decisions) {
      const intake = new Intake();
      intake.take('decisions', decisions, checked, entries.decision);
      try {
        await writer.write(intake.entries);
      } catch (error) {
        if (asAiRouterError(error).code !== 'record_too_large') throw error;
        return { refused: decisions.length };
      }
      return { refused: intake.errors.length };
    },
    close: () => {},
  };
}

/** The `ingest` role on a server of its own. */
export async function startIngest(
  parts: IngestParts,
): Promise<{ port: number; close(): Promise<void> }> {
  const { config, logger, metrics, access = localAccess, overload } = parts;
  const ingest = await openIngest(parts);
  await sayWeaknesses(parts.log, parts.topics, logger);
  const app = createServer(logger, { metrics, ...(overload !== undefined && { overload }) });
  registerDocs(app);
  ingest.register(app);
  registerProbes(app, ingest);
  registerMetrics(app, metrics, access);
  const port = await listen(app, config);
  return {
    port,
    async close() {
      ingest.stopWaiting(config.shutdownTimeoutMs / 2);
      await app.close();
      await ingest.close({ deadlineMs: config.shutdownTimeoutMs / 4 });
    },
  };
}

/** For orchestrators, which call from elsewhere and hold no key. */
function registerProbes(root: FastifyInstance, ingest: Ingest): void {
  const isPublic = { isPublic: true } as const;
  root.register(async (app) => {
    app.get('/healthz', { schema: health, config: isPublic }, async () => ({ status: 'ok' }));
    const config = { ...isPublic, problems: ['log_unavailable'] as const };
    app.get('/readyz', { schema: readiness, config }, async () => {
      if (!ingest.isFailing()) return { status: 'ready' };
      throw new AiRouterError('log_unavailable', 'the log does not take what is sent');
    });
  });
}
