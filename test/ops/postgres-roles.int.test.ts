import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool } from '../../src/database/connect.js';
import { migrate } from '../../src/database/migrate.js';
import { packageRoot } from '../../src/package-root.js';
import { migrateProjection } from '../../src/project/projection-version.js';
import { dropExpired } from '../../src/project/retention.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { type TestDatabase, testDatabaseUrl } from '../postgres.js';
import {
  appendBatch,
  type TestProjection,
  type TestWorld,
  testWorld,
} from '../project/projection.js';

const suffix = randomBytes(4).toString('hex');
const DATABASE = `airouter_${suffix}`;
const PASSWORD = randomBytes(12).toString('hex');
const DAY_MS = 86_400_000;
type Role = 'migrator' | 'projector' | 'reader';
const ROLES: readonly Role[] = ['migrator', 'projector', 'reader'];
const roleName = (role: Role): string => `airouter_${role}_${suffix}`;

let admin: Client;
let database: TestDatabase;
let world: TestWorld;
let projection: TestProjection;

/** The script as it is shipped, but for names that no other test has, in a database of its own. */
beforeAll(async () => {
  const script = readFileSync(join(packageRoot, 'ops/postgres/roles.sql'), 'utf8');
  const sql = script.replaceAll(/airouter_(migrator|projector|reader)\b/g, `$&_${suffix}`);
  admin = new Client({ connectionString: await testDatabaseUrl() });
  await admin.connect();
  await admin.query(`create database ${DATABASE}`);
  await withClient(await urlOf(null), async (client) => {
    await client.query(sql);
    for (const role of ROLES) {
      await client.query(`alter role ${roleName(role)} password '${PASSWORD}'`);
    }
  });
  const databaseUrl = await urlOf('projector');
  database = {
    databaseUrl,
    pool: createPool(databaseUrl, {
      poolSize: 5,
      statementTimeoutMs: 30_000,
      lockTimeoutMs: 10_000,
      applicationName: 'airouter roles test',
    }),
    schema: (name = 'test') => `${name}_${suffix}`,
    close: () => database.pool.end(),
  };
  const folder = join(packageRoot, 'schemas/postgres/log');
  await migrate(await urlOf('migrator'), { schema: database.schema('log'), folder });
  world = await testWorld(database);
  projection = world.projection();
});

afterAll(async () => {
  await world?.close();
  await database?.close();
  await admin.query(`drop database if exists ${DATABASE} with (force)`);
  await admin.query(`drop role if exists ${ROLES.map(roleName).join(', ')}`);
  await admin.end();
});

async function urlOf(role: Role | null): Promise<string> {
  const url = new URL(await testDatabaseUrl());
  url.pathname = `/${DATABASE}`;
  if (role !== null) {
    url.username = roleName(role);
    url.password = PASSWORD;
  }
  return url.href;
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** SQLSTATE of each statement, in a session of the role. */
async function statesOf(role: Role, statements: readonly string[]): Promise<string[]> {
  return withClient(await urlOf(role), async (client) => {
    // The rights have to hold by themselves: anyone may switch this off.
    await client.query('set default_transaction_read_only = off');
    const states: string[] = [];
    for (const statement of statements) {
      const state = client.query(statement).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
      states.push(await state);
    }
    return states;
  });
}

const FORBIDDEN = '42501';
const forbidden = (statements: readonly string[]) => statements.map(() => FORBIDDEN);

test('a projector whose schema is not there yet says who has to make it', async () => {
  await expect(projection.start()).rejects.toMatchObject({
    code: 'invalid_setting',
    message: expect.stringMatching(/let its owner run `airouter migrate`; .*permission denied/),
  });
});

test('the projector folds, makes time ranges and drops expired ones in schemas of the migrator', async () => {
  expect(await migrateProjection(await urlOf('migrator'), projection.schema)).not.toEqual([]);
  const projector = await projection.start();
  let events = 0;
  for (const ms of [START_MS, START_MS + 40 * DAY_MS]) {
    for (const partition of [0, 1, 2]) {
      const sequence = ms === START_MS ? 1 : 2;
      events += 1;
      const one = outcome({ event_id: idOf(100 + events), occurred_at: ms });
      await appendBatch(world, partition, idOf(1), sequence, [one], ms);
    }
  }
  await projection.caughtUp();
  await projector.refresher.settle();
  expect(await projection.hotKeys.generation()).not.toBeNull();
  const dropped = await dropExpired(database.pool, projection.schema, world.topics);
  expect(dropped).toContain(`outcome_minute_${Math.floor(START_MS / DAY_MS) * 1440}`);
  expect((await projection.books()).map(({ closed }) => closed)).toEqual([true, true, true]);
});

test('the projector changes no schema, and drops nothing but time ranges', async () => {
  const schema = `"${projection.schema}"`;
  const statements = [
    `drop table ${schema}.projection_checkpoint`,
    `drop table ${schema}.outcome_minute`,
    `truncate ${schema}.outcome_minute`,
    `alter table ${schema}.outcome_minute add column x int`,
    `create table ${schema}.x (n int)`,
    `drop function ${schema}.histogram_add cascade`,
    `drop schema ${schema} cascade`,
    'create schema x',
    'create temp table outcome_minute (n int)',
    `select ${schema}.drop_time_range('${schema}.projection_checkpoint')`,
    `select ${schema}.drop_time_range('${schema}.outcome_minute')`,
    `select ${schema}.make_time_range('${schema}.projection_checkpoint', 0, 10)`,
    `set role ${roleName('migrator')}`,
  ];
  expect(await statesOf('projector', statements)).toEqual(forbidden(statements));
});

test('readers read every table and write none', async () => {
  const schema = `"${projection.schema}"`;
  const { rows } = await withClient(await urlOf('reader'), (client) =>
    client.query(`select sum(events)::int as n, ${schema}.histogram_quantile('{1}', 500) as q
      from ${schema}.outcome_minute`),
  );
  expect(rows).toEqual([{ n: 3, q: '1' }]);
  const reads = await statesOf('reader', [`select * from ${schema}.projection_checkpoint`]);
  expect(reads).toEqual(['done']);
  const writes = [
    `update ${schema}.outcome_minute set events = 2`,
    `delete from ${schema}.outcome_minute`,
    `insert into ${schema}.projection_setting values ('x', 'y')`,
    `truncate ${schema}.outcome_minute`,
    `create table ${schema}.x (n int)`,
    'create temp table x (n int)',
    `select ${schema}.make_time_range('${schema}.outcome_minute', 0, 1440)`,
    `delete from "${database.schema('log')}".log_record`,
    `set role ${roleName('projector')}`,
  ];
  expect(await statesOf('reader', writes)).toEqual(forbidden(writes));
});

test('sessions look for names in no schema that others can write to', async () => {
  const paths = await Promise.all(
    ROLES.map(async (role) =>
      withClient(await urlOf(role), async (client) => {
        const { rows } = await client.query<{ search_path: string }>('show search_path');
        return rows[0]!.search_path;
      }),
    ),
  );
  expect(paths).toEqual(['pg_catalog, pg_temp', 'pg_catalog, pg_temp', 'airouter_v1, pg_temp']);
});
