-- Up Migration

-- Time ranges are made and dropped in the name of the schema's owner, so that a projector needs no
-- right but to read and write rows. Who may insert into a table may make ranges of it; who may
-- delete all its rows may drop them. All names are qualified: nothing hangs on a search path.

create function make_time_range(parent regclass, range_from int4, range_to int4) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  time_range text;
begin
  select format('%I.%I', nspname, relname || '_' || range_from) into time_range
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where pg_class.oid = parent and relkind = 'p'
    and has_table_privilege(session_user, parent, 'insert');
  if time_range is null then
    raise exception '% may not make time ranges of %', session_user, parent
      using errcode = 'insufficient_privilege';
  end if;
  -- Rows of the newest ranges are updated all the time: room in the page keeps such updates
  -- heap-only, and a low scale factor keeps the dead rows few.
  execute format(
    'create table if not exists %s partition of %s for values from (%s) to (%s)
     with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)',
    time_range, parent, range_from, range_to
  );
end $$;

create function drop_time_range(time_range regclass) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (
    select from pg_inherits join pg_class as parent on parent.oid = inhparent
    where inhrelid = time_range and parent.relkind = 'p'
      and has_table_privilege(session_user, parent.oid, 'delete')
  ) then
    raise exception '% may not drop %, or it is no time range', session_user, time_range
      using errcode = 'insufficient_privilege';
  end if;
  execute format('drop table %s', time_range);
end $$;

revoke execute on function make_time_range, drop_time_range from public;
