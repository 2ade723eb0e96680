import type { Pool } from 'pg';
import { withTransaction } from '../database/connect.js';
import {
  migrateProjection,
  prepareProjection,
  type storedFoldSettings,
} from '../project/projection-version.js';
import { givingWay } from './give-way.js';

/** Where a rebuild folds to, beside the live schema. */
export const shadowSchema = (live: string): string => `${live}_shadow`;
/** What was live, between the swap and its end. */
export const retiredSchema = (live: string): string => `${live}_retired`;

export type ShadowSettings = Awaited<ReturnType<typeof storedFoldSettings>>;

/**
 * Makes the shadow anew, with nothing in it, and holds it to the settings that the live projection
 * was begun with: this process may have others. What an earlier rebuild left is cleared.
 */
export async function makeShadow(
  databaseUrl: string,
  pool: Pool,
  live: string,
  settings: ShadowSettings,
): Promise<string> {
  const shadow = shadowSchema(live);
  await dropSchema(pool, shadow);
  await dropSchema(pool, retiredSchema(live));
  await migrateProjection(databaseUrl, shadow);
  await prepareProjection(databaseUrl, pool, shadow, settings, settings.keysMax);
  return shadow;
}

/** Each table takes locks, and a server has so many: a long history goes in pieces. */
const TABLES_A_DROP = 50;

/**
 * Drops a schema with all that is in it; one that is not there is no error. A statement that was
 * planned before a swap still locks what it used to read, for a moment: it is given way to.
 */
export async function dropSchema(pool: Pool, schema: string): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select format('%I.%I', $1::text, relname) as name from pg_class
     where relnamespace = to_regnamespace(quote_ident($1)) and relispartition and relkind = 'r'`,
    [schema],
  );
  const drop = (what: string): Promise<void> =>
    givingWay(() =>
      withTransaction(pool, 'read committed', (client) => client.query(`drop ${what}`)),
    );
  for (let at = 0; at < rows.length; at += TABLES_A_DROP) {
    const names = rows.slice(at, at + TABLES_A_DROP).map(({ name }) => name);
    await drop(`table if exists ${names.join(', ')}`);
  }
  await drop(`schema if exists "${schema}" cascade`);
}
