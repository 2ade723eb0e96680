import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../src/database/migrate.js';
import { type TestDatabase, testDatabase } from '../postgres.js';

let database: TestDatabase;
let folder: string;
let schema: string;

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airouter-migrate-'));
  schema = database.schema('migrate');
});
afterEach(() => rm(folder, { recursive: true }));

const file = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
const run = (into = schema): Promise<string[]> =>
  migrate(database.databaseUrl, { schema: into, folder });

async function tables(): Promise<string[]> {
  const { rows } = await database.pool.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = $1 order by 1`,
    [schema],
  );
  return rows.map(({ name }) => name);
}

describe('migrate', () => {
  it('runs what is missing, in the order of the numbers, in the schema', async () => {
    await file('0010_c.sql', 'create table c as select * from b;');
    await file('0002_b.sql', 'create table b as select * from a;');
    await file('0001_a.sql', 'create table a (n int);');
    expect(await run()).toEqual(['0001_a', '0002_b', '0010_c']);
    expect(await run()).toEqual([]);
    await file('0011_d.sql', 'create table d (n int);');
    expect(await run()).toEqual(['0011_d']);
    expect(await tables()).toEqual(['a', 'b', 'c', 'd', 'schema_migration']);
  });

  it('lets a twin wait, and runs each migration once', async () => {
    await file('0001_a.sql', 'create table a (n int); select pg_sleep(0.1);');
    await file('0002_b.sql', 'insert into a values (1);');
    const applied = await Promise.all([run(), run(), run(), run()]);
    expect(applied.flat().sort()).toEqual(['0001_a', '0002_b']);
    expect((await database.pool.query(`select count(*) as n from "${schema}".a`)).rows).toEqual([
      { n: 1 },
    ]);
  });

  it('keeps schemas apart', async () => {
    await file('0001_a.sql', 'create table a (n int);');
    const other = database.schema('migrate');
    expect(await Promise.all([run(), run(other)])).toEqual([['0001_a'], ['0001_a']]);
  });

  it('refuses a schema that a newer version migrated, and does nothing', async () => {
    await file('0001_a.sql', 'create table a (n int);');
    await file('0003_c.sql', 'create table c (n int);');
    await run();
    await rm(join(folder, '0003_c.sql'));
    await file('0002_b.sql', 'create table b (n int);');
    await expect(run()).rejects.toMatchObject({
      code: 'schema_newer',
      message: expect.stringContaining('0003_c'),
    });
    expect(await tables()).toEqual(['a', 'c', 'schema_migration']);
  });

  it('leaves nothing of a run that fails', async () => {
    await file('0001_a.sql', 'create table a (n int);');
    await file('0002_b.sql', 'create table b (n int); selekt;');
    await expect(run()).rejects.toMatchObject({ code: '42601' });
    expect(await tables()).toEqual(['schema_migration']);
    await file('0002_b.sql', 'create table b (n int);');
    expect(await run()).toEqual(['0001_a', '0002_b']);
  });

  it('says which server cannot be reached (I12)', async () => {
    await expect(
      migrate('postgres://user:hunter2@127.0.0.1:1/x', { schema, folder }),
    ).rejects.toMatchObject({
      code: 'database_unavailable',
      message: 'Postgres at 127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1',
    });
  });
});
