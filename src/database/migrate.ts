import { readdir } from 'node:fs/promises';
import { runner } from 'node-pg-migrate';
import { Client } from 'pg';
import { AiRouterError } from '../errors.js';
import { addressOf, classify, connectError } from './classify.js';

export interface Migration {
  /** Made where it is missing; the statements run with it as their search path. */
  schema: string;
  /** Folder of `NNNN_name.sql` files, unqualified, run in the order of their numbers. */
  folder: string;
}

const TABLE = 'schema_migration';
/** Longest wait for a connection. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Longest wait for a twin: one that needs longer is seen in Postgres, and waited for by starting again. */
const TURN_TIMEOUT_MS = 600_000;
/** SQLSTATE insufficient_privilege. */
const FORBIDDEN = '42501';
/** What goes wrong comes as the error. */
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/**
 * Brings a schema to the newest migration, in one transaction, and answers the names of those
 * that it ran. A twin waits for its turn. A schema that holds a migration which the folder lacks
 * was migrated by a newer version: `schema_newer`, and nothing is done.
 */
export async function migrate(databaseUrl: string, migration: Migration): Promise<string[]> {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(migration.schema)) {
    throw new AiRouterError('internal', `not a schema name: ${migration.schema}`);
  }
  // No timeout of statements: an index over a large table takes as long as it takes.
  const client = new Client({
    connectionString: databaseUrl,
    application_name: 'airouter migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  client.on('error', () => {}); // The statement that is under way rejects.
  try {
    await client.connect().catch((error: unknown) => {
      throw connectError(error, databaseUrl);
    });
    return await migrateLocked(client, migration);
  } catch (error) {
    if ((error as { code?: unknown }).code === FORBIDDEN) throw notAllowed(migration.schema, error);
    throw classify(error, `Postgres at ${addressOf(databaseUrl)}`);
  } finally {
    await client.end().catch(() => {});
  }
}

/** The lock is the session's: it ends with the connection, whatever happens. */
async function migrateLocked(client: Client, migration: Migration): Promise<string[]> {
  const { schema, folder } = migration;
  await client.query(`set lock_timeout = ${TURN_TIMEOUT_MS}`);
  await client.query("select pg_advisory_lock(hashtext('airouter migrate'), hashtext($1))", [
    schema,
  ]);
  await client.query('set lock_timeout = 0');
  const known = (await readdir(folder)).filter((name) => name.endsWith('.sql'));
  const names = new Set(known.map((name) => name.slice(0, -'.sql'.length)));
  const done = await appliedNames(client, schema);
  const newer = done.filter((name) => !names.has(name));
  if (newer.length > 0) {
    throw new AiRouterError(
      'schema_newer',
      `Schema ${schema} was migrated by a newer version of AiRouter (${newer.join(', ')}); start that version.`,
    );
  }
  // A role that may not change the schema can work in one that is up to date.
  if (done.length === names.size) return [];
  const applied = await runner({
    dbClient: client,
    dir: folder,
    direction: 'up',
    schema,
    createSchema: true,
    migrationsTable: TABLE,
    singleTransaction: true,
    checkOrder: true,
    noLock: true, // Ours is held, and is one for each schema.
    logger: SILENT,
  });
  return applied.map(({ name }) => name);
}

async function appliedNames(client: Client, schema: string): Promise<string[]> {
  const table = `"${schema}"."${TABLE}"`;
  const { rows: found } = await client.query<{ exists: boolean }>(
    'select to_regclass($1) is not null as exists',
    [table],
  );
  if (found[0]?.exists !== true) return [];
  const { rows } = await client.query<{ name: string }>(`select name from ${table} order by id`);
  return rows.map(({ name }) => name);
}

function notAllowed(schema: string, cause: unknown): AiRouterError {
  return new AiRouterError(
    'invalid_setting',
    `DATABASE_URL must name a role that may change schema ${schema}, which is not up to date: let its owner run \`airouter migrate\`; Postgres says: ${(cause as Error).message}`,
    { field: 'DATABASE_URL', rule: 'a role that may change the schema', cause },
  );
}
