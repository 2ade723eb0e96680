import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrate } from '../../src/database/migrate.js';
import { packageRoot } from '../../src/package-root.js';
import { readDatabaseFigures } from '../../src/project/database-figures.js';
import { type TestDatabase, testDatabase } from '../postgres.js';

let database: TestDatabase;
let schema: string;
beforeAll(async () => {
  database = await testDatabase();
  schema = database.schema('projection');
  const folder = join(packageRoot, 'schemas', 'postgres', 'projection');
  await migrate(database.databaseUrl, { schema, folder });
});
afterAll(() => database.close());

it('figures of the database: connections, tables with their ranges summed up, memory', async () => {
  const figures = await readDatabaseFigures(database.pool, schema);
  const { total, active, idle, max } = figures.connection_statistics;
  expect(total).toBeGreaterThanOrEqual(active + idle);
  expect(active).toBeGreaterThanOrEqual(1);
  expect(max).toBeGreaterThan(total);
  const tables = Object.keys(figures.table_statistics);
  expect(tables).toContain('offering');
  expect(tables).toContain('projection_checkpoint');
  for (const table of Object.values(figures.table_statistics)) {
    for (const figure of Object.values(table)) expect(Number.isSafeInteger(figure)).toBe(true);
  }
  expect(figures.cache_efficiency).toBeGreaterThan(0);
  expect(figures.cache_efficiency).toBeLessThanOrEqual(100);
});
