-- The roles of AiRouter, for the database that this is run in, once, as a superuser:
--   psql -1 -v ON_ERROR_STOP=1 -f ops/postgres/roles.sql "$ADMIN_URL"
-- Passwords are set after it with \password, which sends no clear text.

-- Owns the schemas. Runs `airouter migrate` before a new version of the product is started.
create role airouter_migrator login;
-- Projectors, and whatever else writes. Time ranges it makes and drops by functions of the owner.
create role airouter_projector login;
-- Analysts.
create role airouter_reader login;

do $$ begin
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect, create on database %I to airouter_migrator', current_database());
  execute format(
    'grant connect on database %I to airouter_projector, airouter_reader', current_database()
  );
end $$;
revoke all on schema public from public;

-- What the migrator will make, schemas of later projection versions and time ranges too.
alter default privileges for role airouter_migrator
  grant usage on schemas to airouter_projector, airouter_reader;
alter default privileges for role airouter_migrator
  grant select, insert, update, delete on tables to airouter_projector;
alter default privileges for role airouter_migrator
  grant execute on functions to airouter_projector;
alter default privileges for role airouter_migrator
  grant select on tables to airouter_reader;

-- AiRouter names the schema of whatever it touches: nothing of anyone else's can come in between.
alter role airouter_migrator set search_path = pg_catalog, pg_temp;
alter role airouter_projector set search_path = pg_catalog, pg_temp;
-- For people: the tables of the first projection version, without naming their schema.
alter role airouter_reader set search_path = airouter_v1, pg_temp;
alter role airouter_reader set default_transaction_read_only = on;
alter role airouter_reader set statement_timeout = '60s';
