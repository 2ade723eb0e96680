import { afterAll, beforeAll, expect, it } from 'vitest';
import { foldedTopics } from '../../src/log/topics.js';
import { type Lag, lagOf } from '../../src/replay/lag.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import {
  appendBatch,
  type TestProjection,
  type TestWorld,
  testWorld,
} from '../project/projection.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const ask = (world: TestWorld, projection: TestProjection, nowMs: number): Promise<Lag> =>
  lagOf({
    pool: database.pool,
    schema: projection.schema,
    log: world.log,
    topics: foldedTopics(world.topics),
    nowMs,
  });

const event = (number: number) => outcome({ event_id: idOf(number) });

const publish = (world: TestWorld, partition: number, sequence: number, ms: number) =>
  appendBatch(world, partition, idOf(1), sequence, [event(partition * 100 + sequence)], ms);

it('I9 is zero where all is folded, and then says what waits, for how long, and how far back a repeat is known', async () => {
  const world = await testWorld(database);
  const projection = world.projection();
  const projector = await projection.start();
  await publish(world, 0, 1, START_MS);
  await publish(world, 0, 2, START_MS + 90_000);
  await publish(world, 1, 1, START_MS);
  await projection.caughtUp();
  const { topics } = world;
  const outcomes = (lag: Lag) => lag.partitions.filter(({ topic }) => topic === topics.outcomes);

  const atRest = await ask(world, projection, START_MS + 100_000);
  expect(atRest).toMatchObject({ lag_records: 0, lag_ms: null, duplicate_window_seconds: 0 });
  expect(outcomes(atRest)).toMatchObject([
    { start: 0, end: 2, offset_next: 2, lag_records: 0, duplicate_window_seconds: 90 },
    { start: 0, end: 1, offset_next: 1, lag_records: 0, duplicate_window_seconds: 0 },
    { start: 0, end: 0, lag_records: 0, lag_ms: null, duplicate_window_seconds: null },
  ]);

  await projector.close();
  await publish(world, 0, 3, START_MS + 95_000);
  await publish(world, 0, 4, START_MS + 99_000);
  await publish(world, 2, 1, START_MS + 97_000);
  const behind = await ask(world, projection, START_MS + 100_000);
  expect(behind).toMatchObject({ lag_records: 3, lag_ms: 5_000, duplicate_window_seconds: 0 });
  expect(outcomes(behind)).toMatchObject([
    { offset_next: 2, end: 4, lag_records: 2, lag_ms: 5_000, duplicate_window_seconds: 90 },
    { lag_records: 0, lag_ms: null },
    { end: 1, lag_records: 1, lag_ms: 3_000, duplicate_window_seconds: null },
  ]);
  await world.close();
});

it('shows a partition that was never taken up as waiting whole', async () => {
  const world = await testWorld(database);
  const projection = world.projection();
  const projector = await projection.start();
  await projector.close();
  await database.pool.query(`delete from "${projection.schema}".projection_checkpoint`);
  await publish(world, 1, 1, START_MS);
  const lag = await ask(world, projection, START_MS - 5_000);
  expect(lag.partitions.find((each) => each.end > 0)).toMatchObject({
    offset_next: null,
    lag_records: 1,
    lag_ms: 0, // The log's clock is ahead of ours.
  });
  await world.close();
});
