import avro from 'avsc';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { replayDeadLetters } from '../../src/commands/dlq-replay.js';
import { readShippedSchemas } from '../../src/event/schemas.js';
import { announceSchemas, openSchemaTopic } from '../../src/roles/schemas.js';
import { outcome as anOutcome, idOf, START_MS } from '../fold/outcomes.js';
import { type RegistryServer, registryServer } from '../log/schema-registry-server.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { type TestProjection, type TestWorld, testWorld } from './projection.js';

let database: TestDatabase;
let registry: RegistryServer;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  registry = await registryServer();
});
afterEach(() => registry.close());

const shipped = JSON.parse(readShippedSchemas()[0]!.text) as { fields: { name: string }[] };
/** A field more in front, others in another order, one left out. */
const FOREIGN = JSON.stringify({
  ...shipped,
  fields: [
    { name: 'team', type: { type: 'map', values: 'string' }, default: {} },
    shipped.fields[0],
    ...shipped.fields
      .slice(1)
      .filter(({ name }) => name !== 'tenant')
      .reverse(),
  ],
});

/** An outcome as another producer writes it. */
function foreignOutcome(schemaId: number, id: number): Buffer {
  const header = Buffer.from([0, 0, 0, 0, 0]);
  header.writeInt32BE(schemaId, 1);
  const { decision, ...fields } = anOutcome({ model: 'foreign', provider: 'Azure' });
  const value = { ...fields, event_id: Buffer.from(idOf(id)), team: { name: 'a' }, decision };
  return Buffer.concat([header, avro.Type.forSchema(JSON.parse(FOREIGN)).toBuffer(value)]);
}

const append = (world: TestWorld, ...values: Buffer[]): Promise<number> =>
  world.log.append(
    world.topics.outcomes,
    0,
    values.map((value) => ({ key: null, value, timestampMs: START_MS })),
  );

const offeringsOf = async ({ schema }: TestProjection): Promise<string[]> => {
  const { rows } = await database.pool.query<{ row: string }>(
    `select offering || ' ' || events as row from "${schema}".outcome_minute order by 1`,
  );
  return rows.map(({ row }) => row);
};

it('I6 I9 decodes another producer’s records by its own schema, waits for its registry, and parks what that does not know', async () => {
  const world = await testWorld(database);
  const projection = world.projection({ schemaRegistryUrl: registry.url });
  registry.schemas.set(7_000, FOREIGN);
  registry.instead = (response) => response.writeHead(503).end();
  await append(world, foreignOutcome(7_000, 1), foreignOutcome(7_000, 2), foreignOutcome(7_001, 3));
  const projector = await projection.start();
  // It asks again and again, and nothing is parked or passed meanwhile.
  await expect.poll(() => registry.asked.length, { timeout: 20_000 }).toBeGreaterThan(2);
  const bounds = await world.log.bounds(world.topics.deadLetters, 0);
  expect([bounds.end, (await projection.books())[0]?.offset_next ?? 0]).toEqual([0, 0]);
  registry.instead = null;
  await projection.caughtUp();
  expect(await offeringsOf(projection)).toEqual(['foreign|azure.ai.openai|| 2']);
  const parked = { read: 3, applied: 2, dead_lettered: 1, closed: true };
  expect((await projection.books())[0]).toMatchObject(parked);
  await projector.close();

  // A restart fills its window again, so ids that come once more are duplicates.
  await append(world, foreignOutcome(7_000, 2));
  await projection.start();
  await projection.caughtUp();
  expect((await projection.books())[0]).toMatchObject({ read: 4, applied: 2, duplicate: 1 });

  // Registered since: what was parked stays parked, its copy counts once.
  const { topic } = openSchemaTopic(world);
  await topic.append(() => ({ id: 7_001, subject: '', schema: FOREIGN }));
  const { log, topics } = world;
  const parts = { log, topics, pool: database.pool, schema: projection.schema };
  const [replayed] = await replayDeadLetters(parts, []);
  expect(replayed).toMatchObject({ offset: 4 });
  await projection.caughtUp();
  expect(await offeringsOf(projection)).toEqual(['foreign|azure.ai.openai|| 3']);
  const books = (await projection.books())[0];
  expect(books).toMatchObject({
    read: 5,
    applied: 3,
    duplicate: 1,
    dead_lettered: 1,
    closed: true,
  });

  // A rebuild needs no registry any more, and comes to the same.
  const rebuilt = world.projection();
  await rebuilt.start();
  await rebuilt.caughtUp();
  expect(await rebuilt.checksum()).toBe(await projection.checksum());
  expect((await rebuilt.books())[0]).toEqual(books);
  await world.close();
});

it('I1 I9 reads what emitters of a newer version write, once its projectors have said how', async () => {
  const world = await testWorld(database);
  const projection = world.projection();
  await projection.start();
  const newer = { ...readShippedSchemas()[0]!, id: 13, version: 2, text: FOREIGN };
  for (let starts = 0; starts < 2; starts += 1) await announceSchemas(world, [newer]);
  await announceSchemas(world);
  // Of another id nobody has said anything.
  await append(world, foreignOutcome(13, 1), foreignOutcome(14, 2));
  await projection.caughtUp();
  const parked = { read: 2, applied: 1, dead_lettered: 1, closed: true };
  expect((await projection.books())[0]).toMatchObject(parked);
  const { log, topics } = world;
  expect((await log.bounds(topics.schemas, 0)).end).toBe(1);
  await world.close();
});

it('I2 counts a record once, also where a replay came before its schema', async () => {
  const world = await testWorld(database);
  const projection = world.projection();
  const { log, topics } = world;
  const parts = { log, topics, pool: database.pool, schema: projection.schema };
  await append(world, foreignOutcome(7_002, 1));
  await projection.start();
  await projection.caughtUp();
  const [place, copy] = [0, 1].map((offset) => `${topics.outcomes}/0/${offset}/-1`);
  expect(await replayDeadLetters(parts, [])).toEqual([{ origin: place, offset: 1, reason: null }]);
  await projection.caughtUp();
  expect((await projection.books())[0]).toMatchObject({ read: 2, applied: 0, dead_lettered: 2 });

  const { topic } = openSchemaTopic(world);
  await topic.append(() => ({ id: 7_002, subject: '', schema: FOREIGN }));
  expect(await replayDeadLetters(parts, [])).toEqual([
    { origin: place, offset: 2, reason: null },
    { origin: copy, offset: null, reason: `a copy of ${place}` },
  ]);
  expect(await replayDeadLetters(parts, [copy!])).toMatchObject([{ offset: null }]);
  await projection.caughtUp();
  expect(await offeringsOf(projection)).toEqual(['foreign|azure.ai.openai|| 1']);
  expect((await projection.books())[0]).toMatchObject({ read: 3, applied: 1, closed: true });
  await world.close();
});
