import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { dropExpired } from '../../src/project/retention.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, testWorld } from './projection.js';

const DAY_MS = 86_400_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

it('I3 drops what every partition has left behind, and the books stay closed', async () => {
  const world = await testWorld(database);
  const projection = world.projection();
  await projection.start();
  const appendAt = (partition: number, sequence: number, ms: number) => {
    const id = idOf(1000 * partition + sequence);
    return appendBatch(
      world,
      partition,
      idOf(1),
      sequence,
      [outcome({ event_id: id, occurred_at: ms })],
      ms,
    );
  };
  for (const partition of [0, 1, 2]) await appendAt(partition, 1, START_MS);
  for (const partition of [0, 1]) await appendAt(partition, 2, START_MS + 40 * DAY_MS);
  await projection.caughtUp();
  const expired = () => dropExpired(database.pool, projection.schema, world.topics);
  expect((await expired()).filter((name) => name.startsWith('outcome_minute'))).toEqual([]);

  const before = await projection.checksum();
  await appendAt(2, 2, START_MS + 40 * DAY_MS);
  await projection.caughtUp();
  expect(await projection.checksum()).not.toBe(before);
  const last = await projection.checksum();
  const dropped = await expired();
  expect(dropped).toContain(`outcome_minute_${Math.floor(START_MS / DAY_MS) * 1440}`);
  expect(await projection.checksum()).toBe(last);
  const books = await projection.books();
  expect(books.map((each) => [each.applied, each.closed])).toEqual([
    [2, true],
    [2, true],
    [2, true],
  ]);

  // A record whose time runs back needs a range that is gone: it is made again.
  await appendAt(0, 3, START_MS + 1);
  await projection.caughtUp();
  expect((await projection.books())[0]).toMatchObject({ applied: 3, closed: true });
  await world.close();
});

it('a range is dropped beside a reader of the whole table, and neither has to give way', async () => {
  const world = await testWorld(database);
  const projection = world.projection();
  const projector = await projection.start();
  for (const partition of [0, 1, 2]) {
    for (const [at, ms] of [START_MS, START_MS + 40 * DAY_MS].entries()) {
      const event = outcome({ event_id: idOf(10 * partition + at), occurred_at: ms });
      await appendBatch(world, partition, idOf(1), at + 1, [event], ms);
    }
  }
  await projection.caughtUp();
  await projector.close();
  const reader = await database.pool.connect();
  onTestFinished(() => reader.release());
  const rows = (name: string) => `select from "${projection.schema}".${name}`;
  const oldest = `outcome_minute_${Math.floor(START_MS / DAY_MS) * 1440}`;
  await reader.query('begin');
  await reader.query(rows('outcome_minute where minute < 0'));
  const dropped = dropExpired(database.pool, projection.schema, world.topics);
  await vi.waitUntil(() => isHeld(`"${projection.schema}".${oldest}`), { timeout: 20_000 });
  await reader.query(rows('outcome_minute'));
  await reader.query('commit');
  expect(await dropped).toContain(oldest);
  await world.close();
});

/** Whether somebody holds the table who is going to drop it. */
async function isHeld(table: string): Promise<boolean> {
  const { rowCount } = await database.pool.query(
    `select from pg_locks where relation = to_regclass($1) and mode <> 'AccessShareLock'`,
    [table],
  );
  return rowCount! > 0;
}
