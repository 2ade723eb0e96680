import type { Pool } from 'pg';
import type { StoredVersion } from '../project/versions.js';
import { dropSchema, retiredSchema } from './shadow.js';

/**
 * Ends the versions below the one in force, and what an earlier call or a rebuild left of them.
 * Answers their numbers. There is no way back to them but folding the log again.
 *
 * Each is renamed before it is dropped: its projectors, which may be at work, find nothing under
 * its name any more, and neither wait for the drop nor hold it up.
 */
export async function endVersionsBelow(
  pool: Pool,
  versions: readonly StoredVersion[],
  inForce: StoredVersion,
): Promise<number[]> {
  const ended = versions.filter(({ version }) => version < inForce.version);
  for (const { schema } of ended) {
    const retired = retiredSchema(schema);
    await dropSchema(pool, retired);
    await pool.query(`alter schema "${schema}" rename to "${retired}"`);
  }
  for (const left of await leftBelow(pool, inForce)) await dropSchema(pool, left);
  return ended.map(({ version }) => version);
}

async function leftBelow(pool: Pool, { schema, version }: StoredVersion): Promise<string[]> {
  const stem = schema.slice(0, -String(version).length);
  const { rows } = await pool.query<{ name: string }>(
    'select nspname as name from pg_namespace where starts_with(nspname, $1)',
    [stem],
  );
  return rows
    .map(({ name }) => name)
    .filter((name) => {
      const found = /^(\d+)_(?:shadow|retired)$/.exec(name.slice(stem.length));
      return found !== null && Number(found[1]) < version;
    });
}
