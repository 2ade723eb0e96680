import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replayDeadLetters } from '../../src/commands/dlq-replay.js';
import { migrate } from '../../src/database/migrate.js';
import type { RequestOutcome } from '../../src/event/outcome.js';
import { packageRoot } from '../../src/package-root.js';
import { anyOutcome, idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, type TestWorld, testWorld } from './projection.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

/** Appends 60 batches with repeats, garbage and foreign events, the same for the same seed. */
async function appendRandomLog(world: TestWorld, seed: number): Promise<void> {
  const steps = fc.sample(
    fc.record({
      partition: fc.integer({ min: 0, max: 2 }),
      publisher: fc.integer({ min: 1, max: 3 }),
      sequence: fc.integer({ min: 1, max: 12 }),
      outcomes: fc.array(anyOutcome(START_MS), { maxLength: 5 }),
      garbage: fc.boolean(),
    }),
    { seed, numRuns: 60 },
  );
  for (const [index, step] of steps.entries()) {
    const { partition, publisher, sequence, outcomes } = step;
    const ms = START_MS + index * 700;
    await appendBatch(
      world,
      partition,
      idOf(publisher),
      sequence,
      outcomes as RequestOutcome[],
      ms,
    );
    if (step.garbage && index % 7 === 0) {
      await world.log.append(world.topics.outcomes, partition, [
        { key: null, value: Buffer.from('garbage'), timestampMs: ms },
      ]);
    }
  }
}

describe('the projector on the embedded log and Postgres', () => {
  it('I6 two projections of one log are equal, one of them folded by three projectors', async () => {
    const world = await testWorld(database);
    const early = world.projection();
    await early.start();
    await appendRandomLog(world, 42);
    await early.caughtUp();
    const late = world.projection();
    await Promise.all([late.start(), late.start(), late.start()]);
    await late.caughtUp();
    expect(await late.checksum()).toBe(await early.checksum());
    await world.close();
  });

  it('I6 folds a projection without the sums of sizes again, from the first record', async () => {
    const world = await testWorld(database);
    await appendRandomLog(world, 43);
    const [old, fresh] = [world.projection(), world.projection()];
    const folder = mkdtempSync(join(tmpdir(), 'airouter-migrations-'));
    cpSync(join(packageRoot, 'schemas', 'postgres', 'projection'), folder, { recursive: true });
    rmSync(join(folder, '0005_generation.sql'));
    await migrate(database.databaseUrl, { schema: old.schema, folder });
    rmSync(folder, { recursive: true });
    await database.pool.query(
      `insert into "${old.schema}".projection_checkpoint (topic, partition, offset_next)
       values ('${world.topics.outcomes}', 0, 7)`,
    );
    await Promise.all([old.start(), fresh.start()]);
    await Promise.all([old.caughtUp(), fresh.caughtUp()]);
    expect(await old.checksum()).toBe(await fresh.checksum());
    await world.close();
  });

  it('I3 closes its books, counted again from log and tables', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    await appendRandomLog(world, 7);
    await projection.caughtUp();
    const books = await projection.books();
    expect(books.map((each) => each.closed)).toEqual([true, true, true]);
    expect(books.reduce((sum, each) => sum + each.duplicate, 0)).toBeGreaterThan(0);
    expect(books.reduce((sum, each) => sum + each.dead_lettered, 0)).toBeGreaterThan(0);
    await database.pool.query(
      `update "${projection.schema}".outcome_minute set events = events + 1
       where (minute, partition, offering, operation, stream, fallback) = (
         select minute, partition, offering, operation, stream, fallback
         from "${projection.schema}".outcome_minute limit 1)`,
    );
    expect((await projection.books()).every((each) => each.closed)).toBe(false);
    await world.close();
  });

  it('I4 goes on from its checkpoint, with its window and highs, in another process', async () => {
    const world = await testWorld(database);
    const whole = world.projection();
    await whole.start();
    const restarted = world.projection();
    const event = outcome({ event_id: idOf(77) });
    for (let round = 0; round < 4; round++) {
      const projector = await restarted.start();
      const ms = START_MS + round;
      await appendBatch(world, 0, idOf(1), 1, [outcome({ event_id: idOf(76) })], ms);
      await appendBatch(world, 0, idOf(100 + round), 1, [event], ms);
      await restarted.caughtUp();
      await projector.close();
    }
    await whole.caughtUp();
    const [books] = await restarted.books();
    expect(books).toMatchObject({ read: 8, applied: 2, duplicate: 6, closed: true });
    expect(await restarted.checksum()).toBe(await whole.checksum());
    await world.close();
  });

  it('I9 parks garbage with its bytes and place, and goes on', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    const value = Buffer.from([0, 0, 0, 0, 99, 1, 2, 3]);
    await world.log.append(world.topics.outcomes, 1, [{ key: null, value, timestampMs: START_MS }]);
    await appendBatch(world, 1, idOf(1), 1, [outcome()], START_MS);
    await projection.caughtUp();
    const letters = await world.log.read(world.topics.deadLetters, 1, 0, 1_000_000);
    expect(letters.records).toHaveLength(1);
    expect(letters.records[0]!.value).toEqual(value);
    const headers = Object.entries(letters.records[0]!.headers);
    expect(Object.fromEntries(headers.map(([name, bytes]) => [name, bytes.toString()]))).toEqual({
      topic: world.topics.outcomes,
      partition: '1',
      offset: '0',
      index: '-1',
      code: 'unknown_schema',
      reason: 'the value must be of a known schema, which id 99 is not',
      projection_version: '1',
      sha256: createHash('sha256').update(value).digest('base64'),
    });
    expect((await projection.books())[1]).toMatchObject({ read: 2, applied: 1, dead_lettered: 1 });
    await world.close();
  });

  it('I9 stops behind the limit of undecodable records, and goes on once they are allowed', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    const garbage = { key: null, value: Buffer.from('garbage'), timestampMs: START_MS };
    await world.log.append(world.topics.outcomes, 2, new Array(25).fill(garbage));
    await appendBatch(world, 2, idOf(1), 1, [outcome()], START_MS);
    const offsetOf = async () =>
      (
        await database.pool.query<{ offset_next: number }>(
          `select offset_next from "${projection.schema}".projection_checkpoint
           where topic = $1 and partition = 2`,
          [world.topics.outcomes],
        )
      ).rows[0]?.offset_next;
    await expect.poll(offsetOf, { timeout: 60_000 }).toBe(20);
    await appendBatch(world, 1, idOf(1), 1, [outcome({ event_id: idOf(2) })], START_MS);
    await expect
      .poll(async () => (await projection.books())[1]?.applied, { timeout: 60_000 })
      .toBe(1);
    expect(await offsetOf()).toBe(20);
    await database.pool.query(
      `update "${projection.schema}".projection_checkpoint set allowed_to = 25
       where topic = $1 and partition = 2`,
      [world.topics.outcomes],
    );
    await projection.caughtUp();
    expect((await projection.books())[2]).toMatchObject({
      read: 26,
      applied: 1,
      dead_lettered: 25,
      closed: true,
    });
    await world.close();
  });

  it('I2 counts a parked event once after its replay, and the books stay closed', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    const { log, topics } = world;
    const parts = { log, topics, pool: database.pool, schema: projection.schema };
    const projector = await projection.start();
    // A rule that only this reader breaks: its place is parked by hand, as an older version did.
    await appendBatch(world, 0, idOf(1), 1, [outcome({ event_id: idOf(5) })], START_MS);
    const garbage = { key: null, value: Buffer.from('garbage'), timestampMs: START_MS };
    await world.log.append(world.topics.outcomes, 0, [garbage]);
    await projection.caughtUp();
    await projector.close();
    const place = `${world.topics.outcomes}/0/1/-1`;
    expect(await replayDeadLetters(parts, [place])).toMatchObject([{ origin: place, offset: 2 }]);
    const again = await projection.start();
    await projection.caughtUp();
    // It is no record still: parked again, at its new place.
    expect((await projection.books())[0]).toMatchObject({
      read: 3,
      applied: 1,
      dead_lettered: 2,
      closed: true,
    });
    await again.close();
    const { pool } = database;
    // An older version took the first event's batch for broken: with this one its copy counts.
    await pool.query(
      `insert into "${projection.schema}".parked values ($1, 0, 0, 0, 'rule_broken', '')`,
      [world.topics.outcomes],
    );
    await pool.query(`delete from "${projection.schema}".outcome_minute`);
    await replayDeadLetters(parts, [`${world.topics.outcomes}/0/0/0`]);
    await replayDeadLetters(parts, [`${world.topics.outcomes}/0/0/0`]);
    await projection.start();
    await projection.caughtUp();
    expect((await projection.books())[0]).toMatchObject({
      read: 5,
      applied: 1,
      duplicate: 1,
      dead_lettered: 3,
      closed: true,
    });
    await world.close();
  });

  it('I7 writes hot keys that equal the rows at rest', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    const projector = await projection.start();
    await appendRandomLog(world, 3);
    await projection.caughtUp();
    await projector.refresher.settle();
    const read = await projection.hotKeys.read(null);
    const offsets = read!.state.lanes.metrics!.vector[world.topics.outcomes]!;
    for (let partition = 0; partition < 3; partition++) {
      const { end } = await world.log.bounds(world.topics.outcomes, partition);
      expect(offsets[partition]).toBe(end);
    }
    expect(JSON.parse(read!.changed.get('health')!).newest_tick).toBeGreaterThan(0);
    expect([...read!.changed.keys()].some((key) => key.startsWith('metrics:m1|p1'))).toBe(true);
    await world.close();
  });
});
