import type { Pool, PoolClient } from 'pg';
import { AiRouterError } from '../errors.js';

/**
 * Whether there is a projection to compare with: each of its tables, and something folded. One that
 * lacks a table was dropped in part: nothing it says stands for more than the log.
 */
export async function isWhole(pool: Pool, schema: string, shadow: string): Promise<boolean> {
  const { rows } = await pool.query<{ missing: number }>(
    `select count(*)::int as missing from pg_class as made
     where made.relnamespace = to_regnamespace(quote_ident($2))
       and made.relkind in ('r', 'p') and not made.relispartition
       and to_regclass(format('%I.%I', $1::text, made.relname)) is null`,
    [schema, shadow],
  );
  if (rows[0]!.missing > 0) return false;
  const folded = await pool.query(
    `select from "${schema}".projection_checkpoint where offset_next > 0 limit 1`,
  );
  return folded.rowCount === 1;
}

export async function hasTable(
  client: Pool | PoolClient,
  schema: string,
  table: string,
): Promise<boolean> {
  const { rows } = await client.query<{ is_there: boolean }>(
    `select to_regclass(format('%I.%I', $1::text, $2::text)) is not null as is_there`,
    [schema, table],
  );
  return rows[0]!.is_there;
}

/**
 * Refuses a swap that would take more than the projection away: it has to be made by the role that
 * owns the schema, and nothing of others may hang on its tables, which are dropped behind it.
 */
export async function refuseUnsafeSwap(pool: Pool, schema: string, shadow: string): Promise<void> {
  const { rows } = await pool.query<{ owner: string; user: string }>(
    `select pg_get_userbyid(nspowner) as owner, current_user as user
     from pg_namespace where nspname = $1`,
    [schema],
  );
  const [owned] = rows;
  if (owned !== undefined && owned.owner !== owned.user) {
    throw new AiRouterError(
      'invalid_setting',
      `DATABASE_URL must name ${owned.owner}, the role that owns schema ${schema}, for its tables to be swapped; it names ${owned.user}`,
      { field: 'DATABASE_URL', rule: 'the role that owns the schema' },
    );
  }
  await refuseForeignDefaults(pool, schema);
  const foreign = await foreignRelations(pool, schema, shadow);
  if (foreign.length === 0) return;
  throw new AiRouterError(
    'invalid_usage',
    `A swap would drop what others made of ${schema}: ${foreign.join(', ')}; drop it and make it again behind the swap, or rebuild with --no-swap`,
  );
}

/** Default privileges of other roles: only who is a member of them can say the same again. */
async function refuseForeignDefaults(pool: Pool, schema: string): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select distinct pg_get_userbyid(defaclrole)::text as name from pg_default_acl
     where defaclnamespace = to_regnamespace(quote_ident($1))
       and not pg_has_role(current_user, defaclrole, 'member') order by name`,
    [schema],
  );
  if (rows.length === 0) return;
  throw new AiRouterError(
    'invalid_usage',
    `A swap would drop the default privileges that ${rows.map(({ name }) => name).join(', ')} set in ${schema}; drop them and set them again behind the swap, or rebuild with --no-swap`,
  );
}

/** Views on the projection's tables, wherever they are, and what is in its schema beside them. */
async function foreignRelations(pool: Pool, schema: string, shadow: string): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select distinct view.oid::regclass::text as name from pg_depend
     join pg_rewrite on pg_rewrite.oid = objid and classid = 'pg_rewrite'::regclass
     join pg_class as view on view.oid = ev_class
     join pg_class as used on used.oid = refobjid and refclassid = 'pg_class'::regclass
     where used.relnamespace = to_regnamespace(quote_ident($1)) and view.oid <> used.oid
     union
     select own.oid::regclass::text from pg_class as own
     where own.relnamespace = to_regnamespace(quote_ident($1))
       and own.relkind in ('r', 'p', 'v', 'm', 'f') and not own.relispartition
       and to_regclass(format('%I.%I', $2::text, own.relname)) is null
     order by name`,
    [schema, shadow],
  );
  return rows.map(({ name }) => name);
}
