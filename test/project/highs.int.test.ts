import { afterAll, beforeAll, expect, it } from 'vitest';
import { schemas } from '../../src/event/schemas.js';
import { formatUuid } from '../../src/event/uuid.js';
import { HIGH_LIFETIME_MS } from '../../src/fold/publisher-highs.js';
import { forgetHighs } from '../../src/project/highs.js';
import { closeBooks } from '../../src/replay/books.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, testWorld } from './projection.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const PUBLISHERS = 12;

it('I2 I11 publishers are known after a restart, counted again in shares, and forgotten once they expired', async () => {
  const { pool } = database;
  const world = await testWorld(database, { partitions: 1 });
  const projection = world.projection();
  const send = (publisher: number, atMs: number) => {
    const event = outcome({ event_id: idOf(publisher), occurred_at: atMs });
    return appendBatch(world, 0, idOf(publisher), 1, [event], atMs);
  };
  const books = (highsMax?: number) =>
    closeBooks({
      pool,
      schema: projection.schema,
      log: world.log,
      readSchemas: async () => schemas,
      topic: world.topics.outcomes,
      table: { name: 'outcome_minute', events: 'events' },
      minuteRetentionMs: world.config.minuteRetentionDays * 86_400_000,
      highsMax,
    });
  const publishers = async () => {
    const { rows } = await pool.query<{ publisher: string }>(
      `select publisher from "${projection.schema}".publisher_high order by publisher`,
    );
    return rows.map(({ publisher }) => publisher);
  };

  for (let round = 0; round < 2; round++) {
    const projector = await projection.start();
    for (let each = 1; each <= PUBLISHERS; each++) await send(each, START_MS + round);
    await projection.caughtUp();
    await projector.close();
  }
  const [whole] = await books();
  expect(whole).toMatchObject({ applied: PUBLISHERS, duplicate: PUBLISHERS, closed: true });
  expect(await books(4)).toEqual([whole]);

  expect(await forgetHighs(pool, projection.schema, HIGH_LIFETIME_MS)).toBe(0);
  await send(3, START_MS + 1 + HIGH_LIFETIME_MS + 1);
  const projector = await projection.start();
  await projection.caughtUp();
  // A projector looks for expired ones too, and may have been faster.
  await forgetHighs(pool, projection.schema, HIGH_LIFETIME_MS);
  expect(await publishers()).toEqual([formatUuid(idOf(3))]);
  await projector.close();
  expect((await books())[0]).toMatchObject({ duplicate: PUBLISHERS + 1, closed: true });
  await world.close();
});

it('I1 I2 a spool that is sent again an hour and 70,000 events later counts once, also after a restart', async () => {
  const world = await testWorld(database, { partitions: 1 });
  const projection = world.projection();
  const [killed, other] = [idOf(1), idOf(2)];
  const spooled = [1, 2, 3].map((sequence) =>
    Array.from({ length: 100 }, (_, n) => outcome({ event_id: idOf(1_000 * sequence + n) })),
  );
  const send = (sequence: number, atMs: number) =>
    appendBatch(world, 0, killed, sequence, spooled[sequence - 1]!, atMs);
  const first = await projection.start();
  // Two reached the log, their answers never came; of the third nobody knows.
  await send(1, START_MS);
  await send(2, START_MS);
  const laterMs = START_MS + 3_600_000;
  for (let sequence = 1; sequence <= 140; sequence++) {
    const events = Array.from({ length: 500 }, (_, n) =>
      outcome({ event_id: idOf(1_000_000 + 500 * sequence + n), occurred_at: laterMs }),
    );
    await appendBatch(world, 0, other, sequence, events, laterMs);
  }
  await projection.caughtUp();
  await first.close();
  for (const sequence of [1, 2, 3]) await send(sequence, laterMs);
  await projection.start();
  await projection.caughtUp();
  const [books] = await projection.books();
  expect(books).toMatchObject({ read: 70_500, applied: 70_300, duplicate: 200, closed: true });
  await world.close();
});
