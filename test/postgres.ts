import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { createPool } from '../src/database/connect.js';
import { startEmbeddedPostgres } from '../src/database/embedded-postgres.js';

/** Set by the global setup below, so that all workers of one run share one server. */
const FOLDER_VARIABLE = 'TEST_POSTGRES_FOLDER';

export interface TestDatabase {
  databaseUrl: string;
  pool: Pool;
  /** A schema name that no other test has; the test creates it, `close` drops it. */
  schema(name?: string): string;
  /** Drops the schemas, ends the pool; the server goes on until the run ends. */
  close(): Promise<void>;
}

/**
 * The database of this test run: `TEST_DATABASE_URL` where it is set, else one embedded Postgres that
 * the first caller starts and the end of the run stops.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const databaseUrl = await testDatabaseUrl();
  const pool = createPool(databaseUrl, {
    poolSize: 10,
    statementTimeoutMs: 60_000,
    lockTimeoutMs: 30_000,
    applicationName: 'airouter test',
  });
  const schemas: string[] = [];
  return {
    databaseUrl,
    pool,
    schema(name = 'test') {
      const schema = `${name}_${randomBytes(6).toString('hex')}`;
      schemas.push(schema);
      return schema;
    },
    async close() {
      for (const schema of schemas) await pool.query(`drop schema if exists "${schema}" cascade`);
      await pool.end();
    },
  };
}

export async function testDatabaseUrl(): Promise<string> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') return given;
  const dataDir = process.env[FOLDER_VARIABLE];
  if (dataDir === undefined) throw new Error('test/postgres.ts is not the globalSetup of vitest');
  return (await startEmbeddedPostgres({ dataDir })).databaseUrl;
}

/** Vitest's globalSetup: names the folder of this run; starts nothing. */
export function setup(): void {
  process.env[FOLDER_VARIABLE] = join(
    tmpdir(),
    `airouter-test-${process.pid}-${randomBytes(4).toString('hex')}`,
  );
}

export async function teardown(): Promise<void> {
  const dataDir = process.env[FOLDER_VARIABLE];
  if (dataDir === undefined || !existsSync(dataDir)) return;
  await (await startEmbeddedPostgres({ dataDir })).stop();
  await rm(dataDir, { recursive: true, force: true });
}
