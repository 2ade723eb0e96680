import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { deadlocks, isAnyoneWaiting } from '../locks.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, type TestWorld, testWorld } from './projection.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const PARTITION = 0;

function append(world: TestWorld, sequence: number): Promise<number> {
  const outcomes = [outcome({ event_id: idOf(100 + sequence) })];
  return appendBatch(world, PARTITION, idOf(1), sequence, outcomes, START_MS + sequence);
}

it('I2 I3 a commit that a deadlock takes back is made again whole', async () => {
  const world = await testWorld(database);
  const projection = world.projection();
  await projection.start();
  await append(world, 1);
  await projection.caughtUp();
  const other = await database.pool.connect();
  // The other session never gives way, so it is the commit that is taken back.
  await other.query(`begin; set local deadlock_timeout = '1h'`);
  const held = `select from "${projection.schema}".outcome_tick where partition = $1 for update`;
  expect((await other.query(held, [PARTITION])).rowCount).toBe(1);
  await append(world, 2);
  await vi.waitUntil(() => isAnyoneWaiting(database.pool), { timeout: 20_000, interval: 5 });
  const before = await deadlocks(database.pool);
  // The commit holds the checkpoint, and waits for the row of its tick.
  await other.query(
    `select from "${projection.schema}".projection_checkpoint
     where topic = $1 and partition = $2 for update`,
    [world.topics.outcomes, PARTITION],
  );
  await vi.waitUntil(async () => (await deadlocks(database.pool)) > before, { timeout: 20_000 });
  await append(world, 3);
  await other.query('rollback');
  other.release();
  await projection.caughtUp();
  const [books] = await projection.books();
  expect(books).toMatchObject({ closed: true, read: 3, applied: 3, duplicate: 0 });
  await world.close();
});
