import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool } from '../../src/database/connect.js';
import { packageRoot } from '../../src/package-root.js';
import { idOf, outcome, START_MS } from '../fold/outcomes.js';
import { testDatabaseUrl } from '../postgres.js';
import { appendBatch, testWorld } from '../project/projection.js';

const suffix = randomBytes(4).toString('hex');
const PROJECTOR = `airouter_projector_${suffix}`;
const ANALYST = `airouter_analyst_${suffix}`;
const DATABASE = `airouter_${suffix}`;
const POOL = {
  poolSize: 5,
  statementTimeoutMs: 30_000,
  lockTimeoutMs: 10_000,
  applicationName: 'airouter test',
};
const PASSWORD = randomBytes(12).toString('hex');

let admin: Client;

/** The statements of the page, with names that no other test has, in a database of their own. */
beforeAll(async () => {
  const page = readFileSync(join(packageRoot, 'docs/deploy.md'), 'utf8');
  const sql = /```sql\n(.*?)```/s
    .exec(page)![1]!
    .replaceAll('airouter_projector', PROJECTOR)
    .replaceAll('airouter_analyst', ANALYST)
    .replaceAll('database airouter', `database ${DATABASE}`);
  admin = new Client({ connectionString: await testDatabaseUrl() });
  await admin.connect();
  await admin.query(`create database ${DATABASE}`);
  const inside = new Client({ connectionString: await urlOf(null) });
  await inside.connect();
  await inside.query(sql);
  for (const role of [PROJECTOR, ANALYST]) {
    await inside.query(`alter role ${role} password '${PASSWORD}'`);
  }
  await inside.end();
});

afterAll(async () => {
  await admin.query(`drop database if exists ${DATABASE} with (force)`);
  await admin.query(`drop role if exists ${PROJECTOR}, ${ANALYST}`);
  await admin.end();
});

async function urlOf(role: string | null): Promise<string> {
  const url = new URL(await testDatabaseUrl());
  url.pathname = `/${DATABASE}`;
  if (role !== null) {
    url.username = role;
    url.password = PASSWORD;
  }
  return url.href;
}

test('the projector has all that it needs, and analysts read what it made and write nothing', async () => {
  const databaseUrl = await urlOf(PROJECTOR);
  const pool = createPool(databaseUrl, POOL);
  const schema = (name = 'test') => `${name}_${suffix}`;
  const database = { databaseUrl, pool, schema, close: () => pool.end() };
  const world = await testWorld(database);
  const projection = world.projection();
  const projector = await projection.start();
  await appendBatch(world, 0, idOf(1), 1, [outcome()], START_MS);
  await projection.caughtUp();
  await projector.refresher.settle();
  expect(await projection.hotKeys.generation()).not.toBeNull();

  const analyst = new Client({ connectionString: await urlOf(ANALYST) });
  await analyst.connect();
  const read = await analyst.query(`select events from "${projection.schema}".outcome_minute`);
  expect(Number(read.rows[0].events)).toBe(1);
  await analyst.query('set default_transaction_read_only = off');
  const write = analyst.query(`update "${projection.schema}".outcome_minute set events = 2`);
  await expect(write).rejects.toThrow(/permission denied/);
  await analyst.end();

  await world.close();
  await database.close();
});
