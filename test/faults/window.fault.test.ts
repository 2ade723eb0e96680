import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/event/encode.js';
import { uuidV7 } from '../../src/event/uuid.js';
import { RECENT_IDS } from '../../src/fold/recent-ids.js';
import { createKafkaLog } from '../../src/log/kafka-log.js';
import type { Log } from '../../src/log/port.js';
import { outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, type TestWorld, testWorld } from '../project/projection.js';

// What an assignment costs before the first new record is folded: the window of recent ids is read
// back from the log, here all of it, of every partition, by one projector.

const PARTITIONS = 6;
/** A little more than the window, so that all of it is full. */
const EVENTS = RECENT_IDS + 500;
const EVENTS_A_BATCH = 100;
const RECORDS_AN_APPEND = 500;

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const newOutcome = () => outcome({ event_id: uuidV7(START_MS, randomBytes(16)) });

async function appendBatches(world: TestWorld, partition: number, events: number): Promise<void> {
  const publisher = uuidV7(START_MS, randomBytes(16));
  for (let sequence = 1; sequence * EVENTS_A_BATCH <= events; sequence += 1) {
    const outcomes = Array.from({ length: EVENTS_A_BATCH }, newOutcome);
    await appendBatch(world, partition, publisher, sequence, outcomes, START_MS);
  }
}

async function appendAlone(world: TestWorld, partition: number, events: number): Promise<void> {
  for (let done = 0; done < events; done += RECORDS_AN_APPEND) {
    const length = Math.min(RECORDS_AN_APPEND, events - done);
    const records = Array.from({ length }, () => ({
      key: null,
      value: encodeRecord('RequestOutcome', newOutcome()),
      timestampMs: START_MS,
    }));
    await world.log.append(world.topics.outcomes, partition, records);
  }
}

type Append = typeof appendBatches;

/** From the start of a second projector until it has folded one more event of each partition. */
async function restartSeconds(
  openLog: () => Log | null,
  append: Append,
  events: number,
): Promise<{ seconds: number; applied: number }> {
  const log = openLog();
  const world = await testWorld(database, { partitions: PARTITIONS, ...(log && { log }) });
  const projection = world.projection();
  const numbers = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  await Promise.all(numbers.map((partition) => append(world, partition, events)));
  const first = await projection.start();
  await projection.caughtUp();
  await first.close();
  await Promise.all(numbers.map((partition) => appendAlone(world, partition, 1)));
  const startedMs = performance.now();
  await projection.start();
  await projection.caughtUp();
  const seconds = (performance.now() - startedMs) / 1000;
  const books = await projection.books();
  await world.close();
  return { seconds, applied: books.reduce((sum, { applied }) => sum + applied, 0) };
}

const kafka = process.env['TEST_KAFKA_BROKERS']?.split(',');
const onKafka = (): Log => createKafkaLog({ brokers: kafka! });
const embedded = (): Log | null => null;

const CASES: [string, string, Append, () => Log | null][] = [
  ['the embedded log', 'batches of 100', appendBatches, embedded],
  ['the embedded log', 'single events', appendAlone, embedded],
  ['Kafka', 'batches of 100', appendBatches, onKafka],
  ['Kafka', 'single events', appendAlone, onKafka],
];

describe('a full window of recent ids is read back when partitions are assigned', () => {
  it.for(CASES)('from %s, in %s', async ([log, records, append, openLog], { skip }) => {
    skip(openLog === onKafka && kafka === undefined, 'TEST_KAFKA_BROKERS is not set');
    const empty = await restartSeconds(openLog, append, EVENTS_A_BATCH);
    const full = await restartSeconds(openLog, append, EVENTS);
    const readBack = Math.round((full.seconds - empty.seconds) * 10) / 10;
    const figures = { log, records, readBack, seconds: full.seconds, empty: empty.seconds };
    process.stderr.write(`${JSON.stringify(figures)}\n`);
    const events = append === appendBatches ? EVENTS - (EVENTS % EVENTS_A_BATCH) : EVENTS;
    expect(full.applied).toBe(PARTITIONS * (events + 1));
  });
});
