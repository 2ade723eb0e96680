import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AiRouterError, ErrorCode } from '../../src/errors.js';
import { topicSpecs } from '../../src/log/topics.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, type TestProjection, type TestWorld, testWorld } from './projection.js';

// What a projector makes of a log that is not the one that it folded, and of dead letters that
// nobody takes: it stops there and says so, changes nothing, and goes on by itself afterwards.

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const PATIENT = { timeout: 60_000 };

/** One event, by a publisher of its own. */
const append = (world: TestWorld, partition: number, id: number) =>
  appendBatch(world, partition, idOf(id), 1, [outcome({ event_id: idOf(id) })], START_MS);

async function offsetOf(world: TestWorld, { schema }: TestProjection, partition: number) {
  const { rows } = await database.pool.query<{ offset_next: number }>(
    `select offset_next from "${schema}".projection_checkpoint where topic = $1 and partition = $2`,
    [world.topics.outcomes, partition],
  );
  return rows[0]?.offset_next;
}

function stoppedWith(world: TestWorld, partition: number): ErrorCode[] {
  return world.reports.flatMap((report) => {
    const place = report.partition;
    const isIt = place?.topic === world.topics.outcomes && place.partition === partition;
    return report.kind === 'stopped' && isIt ? [(report.error as AiRouterError).code] : [];
  });
}

const create = (world: TestWorld, topic: string) =>
  world.log.createTopics(
    topicSpecs(world.topics, world.config.partitions, 'CreateTime').filter(
      (spec) => spec.topic === topic,
    ),
  );

/** Three events in partition 0 and one in partition 1, folded; then nobody reads. */
async function foldedWorld() {
  const world = await testWorld(database, { partitions: 2 });
  const projection = world.projection();
  const projector = await projection.start();
  for (const id of [1, 2, 3]) await append(world, 0, id);
  await append(world, 1, 4);
  await projection.caughtUp();
  await projector.close();
  return { world, projection };
}

/** The other partition goes on. */
async function expectOthersGoOn(world: TestWorld, projection: TestProjection, id: number) {
  const next = (await append(world, 1, id)) + 1;
  await expect.poll(() => offsetOf(world, projection, 1), PATIENT).toBe(next);
}

describe('a log that is not what was folded', () => {
  it('I1 truncated: the partition stops, the others go on, and it goes on once the records are back', async () => {
    const { world, projection } = await foldedWorld();
    for (const id of [5, 6]) await append(world, 0, id);
    const startAt = (offset: number) =>
      database.pool.query(
        `update "${world.logSchema}".log_partition set start_offset = $2
         where partition = 0
           and topic_id = (select topic_id from "${world.logSchema}".log_topic where topic = $1)`,
        [world.topics.outcomes, offset],
      );
    await startAt(4);
    await projection.start();
    await expect.poll(() => stoppedWith(world, 0), PATIENT).toEqual(['log_truncated']);
    await expectOthersGoOn(world, projection, 7);
    expect(await offsetOf(world, projection, 0)).toBe(3);
    await startAt(0);
    await projection.caughtUp();
    const books = await projection.books();
    expect(books.map(({ applied, closed }) => ({ applied, closed }))).toEqual([
      { applied: 5, closed: true },
      { applied: 2, closed: true },
    ]);
    await world.close();
  });

  it.each([
    { how: 'with other records', ids: [11, 12, 13, 14, 15] },
    { how: 'and shorter', ids: [11] },
  ])('I1 I4 made anew, $how: the partitions stop, and no row changes', async ({ ids }) => {
    const { world, projection } = await foldedWorld();
    const before = await projection.checksum();
    await world.log.deleteTopics([world.topics.outcomes]);
    await create(world, world.topics.outcomes);
    for (const id of ids) await append(world, 0, id);
    await projection.start();
    await expect.poll(() => stoppedWith(world, 0), PATIENT).toEqual(['log_recreated']);
    expect(await offsetOf(world, projection, 0)).toBe(3);
    expect(await projection.checksum()).toBe(before);
    await world.close();
  });
});

it('I9 dead letters that nobody takes: the partition waits, the others go on, and then they are parked once', async () => {
  const { world, projection } = await foldedWorld();
  const { deadLetters, outcomes } = world.topics;
  await projection.start();
  // With its first batch a partition looks for letters without a commit: without them it waits, too.
  for (const partition of [0, 1]) await append(world, partition, 7 + partition);
  await projection.caughtUp();
  await world.log.deleteTopics([deadLetters]);
  const garbage = { key: null, value: Buffer.from('garbage'), timestampMs: START_MS };
  await world.log.append(outcomes, 0, [garbage]);
  await append(world, 0, 5);
  await expectOthersGoOn(world, projection, 6);
  await expect.poll(() => stoppedWith(world, 0).length, PATIENT).toBeGreaterThan(0);
  expect(await offsetOf(world, projection, 0)).toBe(4);
  await create(world, deadLetters);
  await projection.caughtUp();
  const [books] = await projection.books();
  expect(books).toMatchObject({ read: 6, applied: 5, dead_lettered: 1, closed: true });
  expect((await world.log.bounds(deadLetters, 0)).end).toBe(1);
  await world.close();
});
