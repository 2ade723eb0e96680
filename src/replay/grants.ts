import type { PoolClient } from 'pg';

/**
 * Who may use the live schema, its tables, their columns and its functions may use what comes in
 * their place; and what is said of objects that will be made there (`alter default privileges`)
 * holds for the ranges of time that are made behind the swap.
 */
export async function copyGrants(client: PoolClient, live: string, shadow: string): Promise<void> {
  const { rows } = await client.query<{ sql: string }>(
    `with grantee as (select oid, quote_ident(rolname) as name from pg_roles
       union all select 0, 'public')
     select format('%s to %s%s', given.sql, grantee.name,
       case when given.is_grantable then ' with grant option' end) as sql
     from (${GIVEN.join(' union all ')}) as given
     join grantee on grantee.oid = given.grantee`,
    [live, shadow],
  );
  for (const { sql } of rows) await client.query(sql);
}

/** What is granted in $1, in the words that grant it in $2, up to the role. */
const GIVEN = [
  `select format('grant %s on schema %I', privilege_type, $2::text) as sql, grantee, is_grantable
   from pg_namespace, aclexplode(nspacl) where nspname = $1`,
  `select format('grant %s on %I.%I', privilege_type, $2::text, relname), grantee, is_grantable
   from pg_class, aclexplode(relacl)
   where relnamespace = to_regnamespace(quote_ident($1)) and not relispartition
     and to_regclass(format('%I.%I', $2::text, relname)) is not null`,
  `select format('grant %s (%I) on %I.%I', privilege_type, attname, $2::text, relname), grantee,
     is_grantable
   from pg_class join pg_attribute on attrelid = pg_class.oid, aclexplode(attacl)
   where relnamespace = to_regnamespace(quote_ident($1)) and not relispartition
     and to_regclass(format('%I.%I', $2::text, relname)) is not null`,
  `select format('grant %s on function %I.%I(%s)', privilege_type, $2::text, proname,
     oidvectortypes(proargtypes)), grantee, is_grantable
   from pg_proc, aclexplode(proacl)
   where pronamespace = to_regnamespace(quote_ident($1)) and prokind = 'f'
     and to_regprocedure(format('%I.%I(%s)', $2::text, proname,
       oidvectortypes(proargtypes))) is not null`,
  `select format('alter default privileges for role %I in schema %I grant %s on %s',
     pg_get_userbyid(defaclrole), $2::text, privilege_type, case defaclobjtype
       when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
       when 'T' then 'types' end), grantee, is_grantable
   from pg_default_acl, aclexplode(defaclacl)
   where defaclnamespace = to_regnamespace(quote_ident($1))`,
];
