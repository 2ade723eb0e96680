import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { createPool } from '../../src/database/connect.js';
import type { RequestOutcome } from '../../src/event/outcome.js';
import { schemas } from '../../src/event/schemas.js';
import { readVector } from '../../src/project/hot-source.js';
import { type RebuildOptions, rebuild } from '../../src/replay/rebuild.js';
import { dropSchema, retiredSchema, shadowSchema } from '../../src/replay/shadow.js';
import { foldSettingsOf } from '../../src/roles/project.js';
import { anyOutcome, idOf, outcome, START_MS } from '../fold/outcomes.js';
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

const DAY_MS = 86_400_000;
const PATIENCE = { timeout: 60_000 };

/** Batches with repeats, garbage and broken events over three days, one of them long before. */
async function appendRandomLog(world: TestWorld, seed: number, fromMs = START_MS): Promise<void> {
  const steps = fc.sample(
    fc.record({
      partition: fc.integer({ min: 0, max: 2 }),
      publisher: fc.integer({ min: 1, max: 3 }),
      sequence: fc.integer({ min: 1, max: 12 }),
      outcomes: fc.array(anyOutcome(fromMs), { maxLength: 5 }),
    }),
    { seed, numRuns: 60 },
  );
  for (const [index, { partition, publisher, sequence, outcomes }] of steps.entries()) {
    const ms = fromMs + index * 700 + (index < 20 ? -40 * DAY_MS : index < 40 ? -DAY_MS : 0);
    const id = idOf(publisher);
    await appendBatch(world, partition, id, sequence, outcomes as RequestOutcome[], ms);
    if (index % 9 > 0) continue;
    const value = Buffer.from('garbage');
    await world.log.append(world.topics.outcomes, partition, [
      { key: null, value, timestampMs: ms },
    ]);
  }
}

function optionsOf(world: TestWorld, projection: TestProjection): RebuildOptions {
  return {
    databaseUrl: database.databaseUrl,
    pool: database.pool,
    schema: projection.schema,
    log: world.log,
    topics: world.topics,
    schemas,
    lookUpSchemas: async () => {},
    settings: { ...foldSettingsOf(world.config), keysMax: world.config.keysMax },
    swap: 'where equal',
    onStep: () => {},
    onProgress: () => {},
  };
}

async function oidOf(schema: string): Promise<number | null> {
  const { rows } = await database.pool.query<{ oid: number | null }>(
    'select to_regnamespace(quote_ident($1))::oid as oid',
    [schema],
  );
  return rows[0]!.oid;
}

const closed = async (projection: TestProjection): Promise<boolean[]> =>
  (await projection.books()).map((books) => books.closed);

describe('a rebuild beside a live projector', () => {
  it('I6 is equal, and I5 takes its place under traffic, which goes on and is counted once', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    const projector = await projection.start();
    await appendRandomLog(world, 1);
    let isOver = false;
    let sequence = 0;
    const traffic = (async () => {
      while (!isOver) {
        sequence += 1;
        const event = outcome({ event_id: idOf(10_000 + sequence) });
        await appendBatch(world, sequence % 3, idOf(50), sequence, [event], START_MS);
      }
    })();
    const stopTraffic = async (): Promise<void> => {
      isOver = true;
      await traffic;
    };
    onTestFailed(stopTraffic);
    const before = await oidOf(projection.schema);
    const result = await rebuild(optionsOf(world, projection));
    expect(result).toMatchObject({ equal: true, swapped: true, difference: null });
    expect(result.checksum_rebuilt).toBe(result.checksum_live);
    expect(result.events).toBeGreaterThan(100);
    expect(await oidOf(projection.schema)).not.toBe(before);
    expect(await oidOf(shadowSchema(projection.schema))).toBeNull();
    expect(await oidOf(retiredSchema(projection.schema))).toBeNull();
    const folded = sequence;
    await expect.poll(() => sequence, PATIENCE).toBeGreaterThan(folded);
    await stopTraffic();
    await projection.caughtUp();
    expect(await closed(projection)).toEqual([true, true, true]);
    const counted = await database.pool.query<{ events: number }>(
      `select sum(events)::int as events from "${projection.schema}".outcome_minute
       where offering = 'm|p||'`,
    );
    expect(counted.rows[0]!.events).toBe(sequence);

    await expect
      .poll(async () => (await projection.hotKeys.generation())?.split('.').at(-1), PATIENCE)
      .toBe(String(await oidOf(projection.schema)));
    await projector.refresher.settle();
    const again = await rebuild({ ...optionsOf(world, projection), swap: 'never' });
    expect(again).toMatchObject({ equal: true, swapped: false });
    await world.close();
  });

  it('I6 finds a damaged row and names it; nothing is swapped before a repair is asked for', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    const projector = await projection.start();
    await appendRandomLog(world, 2);
    await projection.caughtUp();
    const checksum = await projection.checksum();
    const before = await oidOf(projection.schema);
    const { rows } = await database.pool.query<{
      minute: number;
      offering: string;
      events: number;
    }>(
      `update "${projection.schema}".outcome_minute set events = events + 7
       where (tableoid, ctid) = (select tableoid, ctid from "${projection.schema}".outcome_minute
         where minute >= $1 order by minute desc limit 1)
       returning minute, offering, events`,
      [Math.floor(START_MS / 60_000) - 5],
    );
    const { minute, offering, events } = rows[0]!;
    const result = await rebuild(optionsOf(world, projection));
    expect(result).toMatchObject({ equal: false, swapped: false, checksum_rebuilt: checksum });
    expect(result.checksum_live).not.toBe(checksum);
    expect(result.difference).toMatchObject({
      table: 'outcome_minute',
      rows: [
        {
          key: { minute: String(minute), offering },
          live: { events: String(events) },
          rebuilt: { events: String(events - 7) },
        },
      ],
    });
    expect(await oidOf(projection.schema)).toBe(before);
    const repaired = await rebuild({ ...optionsOf(world, projection), swap: 'always' });
    expect(repaired).toMatchObject({ equal: false, swapped: true });
    expect(await projection.checksum()).toBe(checksum);
    await appendBatch(world, 0, idOf(60), 1, [outcome({ event_id: idOf(9_000) })], START_MS);
    await projection.caughtUp();
    expect(await closed(projection)).toEqual([true, true, true]);
    await projector.close();
    await world.close();
  });

  it('I6 comes to the same checksum where every table was dropped, and the projector goes on', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    await appendRandomLog(world, 3);
    await projection.caughtUp();
    const checksum = await projection.checksum();
    await dropSchema(database.pool, projection.schema);
    const result = await rebuild(optionsOf(world, projection));
    expect(result).toMatchObject({
      equal: null,
      swapped: true,
      checksum_live: null,
      checksum_rebuilt: checksum,
    });
    expect(await projection.checksum()).toBe(checksum);
    await appendBatch(world, 1, idOf(60), 1, [outcome({ event_id: idOf(9_000) })], START_MS);
    await projection.caughtUp();
    expect(await closed(projection)).toEqual([true, true, true]);
    await world.close();
  });

  it('I6 one that died half-way leaves the live tables alone and is cleared by the next', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    await appendRandomLog(world, 4);
    await projection.caughtUp();
    const before = [await oidOf(projection.schema), await projection.checksum()];
    const options = optionsOf(world, projection);
    const died = rebuild({
      ...options,
      onProgress() {
        throw new Error('died');
      },
    });
    await expect(died).rejects.toThrow('died');
    expect(await oidOf(shadowSchema(projection.schema))).not.toBeNull();
    expect([await oidOf(projection.schema), await projection.checksum()]).toEqual(before);
    expect(await rebuild(options)).toMatchObject({ equal: true, swapped: true });
    expect(await projection.checksum()).toBe(before[1]);
    await world.close();
  });
});

it('a rebuild is refused while another one is running', async () => {
  const world = await testWorld(database);
  const projection = world.projection();
  const pool = createPool(database.databaseUrl, {
    poolSize: 2,
    statementTimeoutMs: 0,
    lockTimeoutMs: 100,
    applicationName: 'airouter test',
  });
  const name = `${projection.schema}.rebuild`;
  const other = await database.pool.connect();
  await other.query('select pg_advisory_lock(hashtextextended($1, 0))', [name]);
  await expect(rebuild({ ...optionsOf(world, projection), pool })).rejects.toMatchObject({
    code: 'already_running',
  });
  other.release(true);
  await pool.end();
  await world.close();
});

describe('a swap', () => {
  it('is refused where a view of others would go with the tables', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    const projector = await projection.start();
    await appendRandomLog(world, 5);
    await projection.caughtUp();
    await projector.close();
    const view = database.schema('analyst');
    await database.pool.query(`create schema "${view}"`);
    await database.pool.query(
      `create view "${view}".busy as select * from "${projection.schema}".outcome_minute`,
    );
    await expect(rebuild(optionsOf(world, projection))).rejects.toMatchObject({
      code: 'invalid_usage',
      message: expect.stringContaining(`${view}.busy`),
    });
    const compared = await rebuild({ ...optionsOf(world, projection), swap: 'never' });
    expect(compared).toMatchObject({ equal: true, swapped: false });
    await world.close();
  });

  it('keeps offsets, grants, default privileges and what was let pass (I5, I9)', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    const projector = await projection.start();
    const garbage = { key: null, value: Buffer.from('garbage'), timestampMs: START_MS };
    await world.log.append(world.topics.outcomes, 2, new Array(25).fill(garbage));
    await appendRandomLog(world, 6);
    const folded = () => vectorOf(world, projection.schema);
    await expect.poll(async () => (await folded())[world.topics.outcomes]?.[2], PATIENCE).toBe(20);
    await database.pool.query(
      `update "${projection.schema}".projection_checkpoint set allowed_to = 25
       where topic = $1 and partition = 2`,
      [world.topics.outcomes],
    );
    await projection.caughtUp();
    const reader = `reader_${projection.schema}`;
    await database.pool.query(`create role "${reader}"`);
    await database.pool.query(`grant usage on schema "${projection.schema}" to "${reader}"`);
    await database.pool.query(
      `grant select on "${projection.schema}".outcome_minute to "${reader}"`,
    );
    await database.pool.query(
      `grant select (name) on "${projection.schema}".policy to "${reader}" with grant option`,
    );
    await database.pool.query(
      `alter default privileges in schema "${projection.schema}" grant select on tables to "${reader}"`,
    );
    const before = await folded();
    expect(await rebuild(optionsOf(world, projection))).toMatchObject({
      equal: true,
      swapped: true,
    });
    expect(await folded()).toEqual(before);
    const { rows } = await database.pool.query<{ may: boolean; allowed_to: number }>(
      `select has_table_privilege($2, '"${projection.schema}".outcome_minute', 'select')
         and has_schema_privilege($2, $3, 'usage') as may, allowed_to
       from "${projection.schema}".projection_checkpoint where topic = $1 and partition = 2`,
      [world.topics.outcomes, reader, projection.schema],
    );
    expect(rows).toEqual([{ may: true, allowed_to: 25 }]);
    await projector.close();
    await database.pool.query(`create table "${projection.schema}".later ()`);
    const granted = await database.pool.query<{ later: boolean; columns: boolean }>(
      `select has_table_privilege($1, '"${projection.schema}".later', 'select') as later,
         has_column_privilege($1, '"${projection.schema}".policy', 'name',
           'select with grant option') as columns`,
      [reader],
    );
    expect(granted.rows).toEqual([{ later: true, columns: true }]);
    await database.pool.query(`drop owned by "${reader}"`);
    await database.pool.query(`drop role "${reader}"`);
    await world.close();
  });
});

async function vectorOf(world: TestWorld, schema: string) {
  const client = await database.pool.connect();
  try {
    return await readVector(client, schema, [world.topics.outcomes]);
  } finally {
    client.release();
  }
}
