import { schemas } from '../../src/event/schemas.js';
import type { DeadLetter } from '../../src/log/dead-letters.js';
import type { ConsumerHandlers, TopicPartition } from '../../src/log/port.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { createPipeline } from '../../src/pipeline.js';
import type { Failures } from './failures.js';
import { FOLDED, HIGHS_KEPT, KEYS_MAX, placeName, RECENT_IDS, SETTINGS } from './layout.js';
import { uncommittedLetters } from './processes.js';
import type { Call } from './scheduler.js';
import type { SimulatedLog } from './simulated-log.js';
import { SimulatedStore } from './simulated-store.js';

const BATCH_RECORDS = 7;
const metrics = createMetrics();
const atOnce: Call = async (_text, _isWrite, effect) => effect();

/** The projections once more, from the first record on, by one projector and without any fault. */
export async function rebuild(log: SimulatedLog, failures: Failures): Promise<SimulatedStore> {
  const store = new SimulatedStore(() => {});
  const connection = log.connect(atOnce);
  const handlers = createPipeline({
    log: connection,
    schemas,
    lookUpSchemas: async () => {},
    store: store.connect(atOnce),
    parkDeadLetters: async (source, _records, letters) => refuseNew(failures, source, letters),
    uncommittedLetters: (source, from) => uncommittedLetters(connection, source, from),
    refresher: { notify: () => {} },
    metrics,
    settings: SETTINGS,
    keysMax: KEYS_MAX,
    recentIds: RECENT_IDS,
    highsKept: HIGHS_KEPT,
  });
  for (const place of FOLDED) {
    const { end } = log.bounds(place.topic, place.partition);
    store.allow(placeName(place), end);
    await foldAll(log, handlers, place);
  }
  return store;
}

/** What is parked was parked before: its letters are found, and none is written twice. */
function refuseNew(
  failures: Failures,
  source: TopicPartition,
  letters: readonly DeadLetter[],
): void {
  for (const { offset, index } of letters) {
    failures.fail('I9', `${placeName(source)}/${offset}/${index} would be parked once more`);
  }
}

async function foldAll(
  log: SimulatedLog,
  handlers: ConsumerHandlers,
  place: TopicPartition,
): Promise<void> {
  const { topic, partition } = place;
  let offset = await handlers.assigned(place);
  for (;;) {
    const batch = log.read(topic, partition, offset, BATCH_RECORDS);
    if (batch.records.length === 0) return;
    offset = await handlers.batch(batch);
  }
}
