import { schemas } from '../../src/event/schemas.js';
import { createPoller, type HotView, type Poller } from '../../src/hotkeys/poller.js';
import { createRefresher, type Refresher } from '../../src/hotkeys/refresher.js';
import { createDeadLetters } from '../../src/log/dead-letters.js';
import type { PartitionReport } from '../../src/log/partition-report.js';
import type { TopicPartition } from '../../src/log/port.js';
import { createSchemaLookUp } from '../../src/log/schema-look-up.js';
import { SchemaTopic } from '../../src/log/schema-topic.js';
import { UncommittedLetters } from '../../src/log/uncommitted-letters.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { createPipeline } from '../../src/pipeline.js';
import { createPublisher, type Publisher } from '../../src/publish/publisher.js';
import {
  HIGHS_KEPT,
  KEYS_MAX,
  OUTCOME_PARTITIONS,
  PROJECTION_VERSION,
  RECENT_IDS,
  SETTINGS,
  TOPICS,
} from './layout.js';
import type { Process, Scheduler } from './scheduler.js';
import { SimulatedConsumer } from './simulated-consumer.js';
import type { SimulatedHotKeys } from './simulated-hot-keys.js';
import type { LogConnection, SimulatedLog } from './simulated-log.js';
import type { SimulatedStore } from './simulated-store.js';
import { idOf } from './traffic.js';

/** The three services that are simulated; everything that runs on them is the product's. */
export interface Services {
  scheduler: Scheduler;
  log: SimulatedLog;
  store: SimulatedStore;
  hotKeys: SimulatedHotKeys;
}

export interface PublisherProcess extends Process {
  role: 'publisher';
  publisher: Publisher;
  /** Ids of the outcomes that it took, in order, as hex. */
  accepted: string[];
}

export interface ProjectorProcess extends Process {
  role: 'projector';
  consumer: SimulatedConsumer;
  refresher: Refresher;
}

export interface RouterProcess extends Process {
  role: 'router';
  poller: Poller;
}

const LINGER_MS = 50;
const POLL_INTERVAL_MS = 300;
const silent = { info: () => {}, warn: () => {}, error: () => {} };
// One for all runs: nothing of the simulation reads them.
const metrics = createMetrics();

const newProcess = (name: string): Process => ({ name, isAlive: true, isStalled: false });

/** A clock that is a little off, as those of machines are. */
function clockOf(scheduler: Scheduler): { nowMs(): number } {
  const skewMs = scheduler.random.below(2_000) - 1_000;
  return { nowMs: () => scheduler.nowMs + skewMs };
}

/** `number`: of all publishers of the run; an id is never used again. */
export async function startPublisher(
  { scheduler, log }: Services,
  number: number,
): Promise<PublisherProcess> {
  const process = newProcess(`publisher-${number}`);
  const clock = clockOf(scheduler);
  let publisher: Publisher | null = null;
  await scheduler.run(process, 'starts', () => {
    publisher = createPublisher({
      log: log.connect(scheduler.caller(process, 'log')),
      topic: TOPICS.outcomes,
      partitions: OUTCOME_PARTITIONS,
      clock,
      publisherId: () => idOf(1, number),
      lingerMs: LINGER_MS,
      batchBytesMax: 300,
      queueMax: 30,
      spoolDir: null,
      spoolBytesMax: 0,
      retry: { initialMs: 50, maxMs: 2_000 },
      logger: silent,
      random: scheduler.random.unit,
    });
  });
  return Object.assign(process, {
    role: 'publisher' as const,
    publisher: publisher!,
    accepted: [],
  });
}

export async function startProjector(
  { scheduler, log, store, hotKeys }: Services,
  number: number,
  report: (report: PartitionReport) => void,
): Promise<ProjectorProcess> {
  const process = newProcess(`projector-${number}`);
  const clock = clockOf(scheduler);
  const connection = log.connect(scheduler.caller(process, 'log'));
  const database = store.connect(scheduler.caller(process, 'store'));
  const schemaTopic = new SchemaTopic({ log: connection, topic: TOPICS.schemas, schemas });
  let parts: Pick<ProjectorProcess, 'consumer' | 'refresher'> | null = null;
  await scheduler.run(process, 'starts', () => {
    const refresher = createRefresher({
      source: database,
      hotKeys: hotKeys.connect(scheduler.caller(process, 'hot keys')),
      clock,
      logger: silent,
      random: scheduler.random.unit,
    });
    const handlers = createPipeline({
      log: connection,
      schemas,
      // Nobody registers any: garbage asks for ids, and they stay unknown.
      lookUpSchemas: createSchemaLookUp(schemas, schemaTopic, null),
      store: database,
      parkDeadLetters: createDeadLetters(connection, TOPICS.deadLetters, PROJECTION_VERSION, {
        // One letter or two: an attempt may end between any of them.
        appendBytesMax: 1_000,
      }),
      uncommittedLetters: (source, from) => uncommittedLetters(connection, source, from),
      refresher,
      metrics,
      settings: SETTINGS,
      keysMax: KEYS_MAX,
      recentIds: RECENT_IDS,
      highsKept: HIGHS_KEPT,
    });
    const consumer = new SimulatedConsumer({
      process,
      scheduler,
      log,
      connection,
      handlers,
      report,
    });
    parts = { consumer, refresher };
  });
  return Object.assign(process, { role: 'projector' as const, ...parts! });
}

/** So few at a time that short runs reach every limit. */
export function uncommittedLetters(
  log: LogConnection,
  source: TopicPartition,
  from: number,
): UncommittedLetters {
  return new UncommittedLetters({
    log,
    deadLetterTopic: TOPICS.deadLetters,
    source,
    projectionVersion: PROJECTION_VERSION,
    from,
    lettersMax: 3,
    rescanAfter: 4,
  });
}

export async function startRouter(
  { scheduler, hotKeys }: Services,
  number: number,
  onView: (process: Process, view: HotView) => void,
): Promise<RouterProcess> {
  const process = newProcess(`router-${number}`);
  const clock = clockOf(scheduler);
  let poller: Poller | null = null;
  await scheduler.run(process, 'starts', () => {
    poller = createPoller({
      hotKeys: hotKeys.connect(scheduler.caller(process, 'hot keys')),
      pollIntervalMs: POLL_INTERVAL_MS,
      onChange: (view) => onView(process, view),
      clock,
      logger: silent,
    });
  });
  return Object.assign(process, { role: 'router' as const, poller: poller! });
}
