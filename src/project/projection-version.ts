import { join } from 'node:path';
import type { Pool } from 'pg';
import { withTransaction } from '../database/connect.js';
import { migrate } from '../database/migrate.js';
import { AiRouterError } from '../errors.js';
import type { FoldSettings } from '../fold/context.js';
import { packageRoot } from '../package-root.js';
import { foldIdentity, settingsOf } from './projection-store.js';
import { refuseEnded } from './versions.js';

/**
 * Rises with every change of what the fold makes of a log: other rows stand in another schema, and
 * older processes go on with theirs. Before the first release a migration that empties the tables
 * did the same.
 */
export const PROJECTION_VERSION = 1;

export function projectionSchema(namespace: string, version: number = PROJECTION_VERSION): string {
  return `${namespace === '' ? '' : `${namespace}_`}airouter_v${version}`;
}

/** Brings the schema of a projection up to date; answers the migrations that it ran. */
export function migrateProjection(databaseUrl: string, schema: string): Promise<string[]> {
  return migrate(databaseUrl, {
    schema,
    folder: join(packageRoot, 'schemas', 'postgres', 'projection'),
  });
}

/**
 * Brings the schema up to date and holds it to the settings that it began with. One that was ended
 * is not begun anew: `schema_newer`.
 */
export async function prepareProjection(
  databaseUrl: string,
  pool: Pool,
  schema: string,
  settings: FoldSettings,
  keysMax: number,
): Promise<void> {
  await refuseEnded(pool, schema);
  await migrateProjection(databaseUrl, schema);
  const identity = foldIdentity(settings, keysMax);
  const stored = await withTransaction(pool, 'read committed', async (client) => {
    await client.query(
      `insert into "${schema}".projection_setting (name, value)
       select * from unnest($1::text[], $2::text[]) on conflict do nothing`,
      [Object.keys(identity), Object.values(identity)],
    );
    return client.query<{ name: string; value: string }>(
      `select name, value from "${schema}".projection_setting order by name`,
    );
  });
  for (const { name, value } of stored.rows) {
    if (identity[name] === undefined || identity[name] === value) continue;
    throw new AiRouterError(
      'invalid_setting',
      `${name} must stay ${value} for the projection ${schema}, got ${identity[name]}`,
      { field: name, rule: `equal to ${value}` },
    );
  }
}

/** The settings of the fold, as the projection was begun with. */
export async function storedFoldSettings(
  pool: Pool,
  schema: string,
): Promise<FoldSettings & { keysMax: number }> {
  const { rows } = await pool.query<{ name: string; value: string }>(
    `select name, value from "${schema}".projection_setting`,
  );
  return settingsOf(Object.fromEntries(rows.map(({ name, value }) => [name, value])));
}
