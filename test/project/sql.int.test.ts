import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../src/database/migrate.js';
import { bucketHigh, HISTOGRAM_BUCKETS, quantileOf } from '../../src/fold/histogram.js';
import { TABLES, type Table } from '../../src/fold/tables.js';
import { packageRoot } from '../../src/package-root.js';
import { histogramLiteral } from '../../src/project/array-literal.js';
import { addHistograms, parseHistogram } from '../../src/project/metrics-values.js';
import { rollUp } from '../../src/project/rollup.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabase } from '../postgres.js';
import { appendBatch, testWorld } from './projection.js';

let database: TestDatabase;
let schema: string;
beforeAll(async () => {
  database = await testDatabase();
  schema = database.schema('projection');
  const folder = join(packageRoot, 'schemas', 'postgres', 'projection');
  await migrate(database.databaseUrl, { schema, folder });
});
afterAll(() => database.close());

/** `[first bucket, count, …]` without zeros at the ends. */
const anyHistogram = fc
  .uniqueArray(fc.tuple(fc.nat(HISTOGRAM_BUCKETS - 1), fc.integer({ min: 1, max: 1_000 })), {
    minLength: 1,
    maxLength: 12,
    selector: ([bucket]) => bucket,
  })
  .map((pairs) => pairs.reduce<number[]>((sum, pair) => addHistograms(sum, pair), []));

describe('the histogram functions of the database', () => {
  it('add as the code does', async () => {
    await fc.assert(
      fc.asyncProperty(anyHistogram, anyHistogram, async (a, b) => {
        const { rows } = await database.pool.query<{ sum: string }>(
          `select "${schema}".histogram_add($1::int8[], $2::int8[])::text as sum`,
          [histogramLiteral(a), histogramLiteral(b)],
        );
        expect(parseHistogram(rows[0]!.sum)).toEqual(addHistograms(a, b));
      }),
      { numRuns: 100 },
    );
  });

  it('answer the quantiles that the code answers', async () => {
    await fc.assert(
      fc.asyncProperty(anyHistogram, fc.integer({ min: 1, max: 1000 }), async (cell, perMille) => {
        const { rows } = await database.pool.query<{ value: number }>(
          `select "${schema}".histogram_quantile($1::int8[], $2) as value`,
          [histogramLiteral(cell), perMille],
        );
        expect(rows[0]!.value).toBe(quantileOf(cell.slice(1), cell[0]!, perMille));
      }),
      { numRuns: 100 },
    );
  });

  it('know the bounds of every bucket', async () => {
    const { rows } = await database.pool.query<{ high: number }>(
      `select "${schema}".histogram_bucket_high(i) as high from generate_series(0, ${HISTOGRAM_BUCKETS - 1}) as i`,
    );
    expect(rows.map((row) => row.high)).toEqual(
      Array.from({ length: HISTOGRAM_BUCKETS }, (_, bucket) => bucketHigh(bucket)),
    );
  });
});

describe('the schema of a projection', () => {
  it('has the columns and keys that the descriptors say', async () => {
    for (const table of Object.values(TABLES) as Table[]) {
      const columns = await database.pool.query<{ name: string; type: string }>(
        `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
         where attrelid = to_regclass($1) and attnum > 0 order by attnum`,
        [`"${schema}".${table.name}`],
      );
      const types = {
        int4: 'integer',
        int8: 'bigint',
        numeric: 'numeric(40,0)',
        text: 'text',
        bool: 'boolean',
        histogram: 'bigint[]',
      };
      expect(columns.rows).toEqual(
        [...table.keys, ...table.values].map(({ name, type }) => ({ name, type: types[type] })),
      );
      const keys = await database.pool.query<{ keys: string[] }>(
        `select array_agg(attname::text order by position) as keys
         from pg_index, unnest(indkey) with ordinality as key (number, position)
         join pg_attribute on attnum = key.number and attrelid = to_regclass($1)
         where indrelid = to_regclass($1) and indisprimary`,
        [`"${schema}".${table.name}`],
      );
      expect(keys.rows[0]!.keys).toEqual(table.keys.map((column) => column.name));
    }
  });
});

describe('hour and day rows', () => {
  it('are the sums of their minutes, and stay so when minutes change', async () => {
    const world = await testWorld(database);
    const projection = world.projection();
    await projection.start();
    const hour = Math.floor(START_MS / 3_600_000);
    for (let round = 1; round <= 2; round++) {
      const events = [0, 61, 3_599].map((second, i) =>
        outcome({ event_id: idOf(round * 10 + i), occurred_at: START_MS + second * 1000 }),
      );
      await appendBatch(world, 0, idOf(round), 1, events, START_MS + 3_600_000);
      await projection.caughtUp();
      expect(await rollUp(database.pool, projection.schema)).toBe(1);
      const { rows } = await database.pool.query(
        `select outcome_hour.hour, outcome_hour.events, outcome_day.events as day_events,
           latency_hour.histogram::text as histogram
         from "${projection.schema}".outcome_hour, "${projection.schema}".outcome_day,
           "${projection.schema}".latency_hour where latency_hour.metric = 'duration_ms'`,
      );
      expect(rows).toMatchObject([{ hour, events: 3 * round, day_events: 3 * round }]);
      expect(parseHistogram(rows[0].histogram)[1]).toBe(3 * round);
    }
    expect(await rollUp(database.pool, projection.schema)).toBe(0);
    await world.close();
  });
});
