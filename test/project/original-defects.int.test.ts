import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequestOutcome } from '../../src/event/outcome.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, type TestProjection, testWorld } from './projection.js';

// Those of the twelve defects of the program that this one began as that its writer of metrics had;
// the others are in test/route/original-defects.test.ts.

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

interface Sums {
  offering: string;
  events: number;
  tokens: string;
  /** Outcomes that said how many. */
  told: number;
}

const sumsOf = async ({ schema }: TestProjection): Promise<Sums[]> => {
  const { rows } = await database.pool.query<Sums>(
    `select offering, sum(events)::int4 as events, sum(input_tokens)::text as tokens,
       sum(input_tokens_known)::int4 as told
     from "${schema}".outcome_minute group by offering order by offering`,
  );
  return rows;
};

const outcomes = (first: number, count: number, fields: Partial<RequestOutcome> = {}) =>
  Array.from({ length: count }, (_, i) => outcome({ event_id: idOf(first + i), ...fields }));

describe('defects of the original', () => {
  it('S1 three writers at once lose no count', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await Promise.all([projection.start(), projection.start(), projection.start()]);
    for (let i = 0; i < 12; i++) {
      await appendBatch(
        world,
        i % 3,
        idOf(9000 + (i % 3)),
        1 + Math.floor(i / 3),
        outcomes(i * 10, 10),
        START_MS,
      );
    }
    await projection.caughtUp();
    expect(await sumsOf(projection)).toMatchObject([{ events: 120, tokens: '12000' }]);
    await world.close();
  });

  it('S2 an outcome that lacks a figure takes nothing from what others said', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    await appendBatch(world, 0, idOf(9001), 1, outcomes(1, 5), START_MS);
    await projection.caughtUp(); // Its row stands: the next batch is another commit.
    const bare = outcomes(10, 5, { input_tokens: null, output_tokens: null });
    await appendBatch(world, 0, idOf(9001), 2, bare, START_MS);
    await projection.caughtUp();
    expect(await sumsOf(projection)).toEqual([
      { offering: 'm|p||', events: 10, tokens: '500', told: 5 },
    ]);
    await world.close();
  });

  it('S3 names are data: no quote in one reaches the language of the database', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    const model = `x'); drop table outcome_minute; -- "\\`;
    await appendBatch(world, 0, idOf(9001), 1, outcomes(1, 3, { model }), START_MS);
    await projection.caughtUp();
    const [row] = await sumsOf(projection);
    expect(row).toMatchObject({ events: 3 });
    expect(row!.offering).toContain('drop table');
    await world.close();
  });

  it('S4 a pair that nobody registered is counted from its first outcome on', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    const fresh = outcomes(1, 4, { model: 'brand-new', provider: 'nobody-knows' });
    await appendBatch(world, 0, idOf(9001), 1, fresh, START_MS);
    await projection.caughtUp();
    expect(await sumsOf(projection)).toEqual([
      { offering: 'brand-new|nobody-knows||', events: 4, tokens: '400', told: 4 },
    ]);
    await world.close();
  });
});
