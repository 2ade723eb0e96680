import type { Pool } from 'pg';

/** Figures of the database for people, in the names of Postgres's own statistics. */
export interface DatabaseFigures {
  connection_statistics: { total: number; active: number; idle: number; max: number };
  /** By table, its ranges of time summed up. Rows are estimates. */
  table_statistics: Record<string, TableFigures>;
  /** Share of the blocks that were found in memory, of 0..100; null = none were asked for. */
  cache_efficiency: number | null;
}

interface TableFigures {
  live_rows: number;
  dead_rows: number;
  inserts: number;
  updates: number;
  deletes: number;
  bytes: number;
}

/** As of now; of connections, those to this database. */
export async function readDatabaseFigures(pool: Pool, schema: string): Promise<DatabaseFigures> {
  const { rows: connections } = await pool.query<DatabaseFigures['connection_statistics']>(
    `select count(*)::int4 as total, count(*) filter (where state = 'active')::int4 as active,
       count(*) filter (where state = 'idle')::int4 as idle,
       current_setting('max_connections')::int4 as max
     from pg_stat_activity where datname = current_database()`,
  );
  const { rows: tables } = await pool.query<TableFigures & { name: string }>(
    `select coalesce(parent.relname, leaf.relname) as name, sum(n_live_tup)::int8 as live_rows,
       sum(n_dead_tup)::int8 as dead_rows, sum(n_tup_ins)::int8 as inserts,
       sum(n_tup_upd)::int8 as updates, sum(n_tup_del)::int8 as deletes,
       sum(pg_total_relation_size(leaf.relid))::int8 as bytes
     from pg_stat_user_tables as leaf
     left join pg_inherits on inhrelid = leaf.relid
     left join pg_class as parent on parent.oid = inhparent
     where leaf.schemaname = $1
       and leaf.relid not in (select inhparent from pg_inherits) group by 1 order by 1`,
    [schema],
  );
  const { rows: caches } = await pool.query<{ cache_efficiency: number | null }>(
    `select round(100.0 * blks_hit / nullif(blks_hit + blks_read, 0), 1)::float8 as cache_efficiency
     from pg_stat_database where datname = current_database()`,
  );
  return {
    connection_statistics: connections[0]!,
    table_statistics: Object.fromEntries(tables.map(({ name, ...figures }) => [name, figures])),
    cache_efficiency: caches[0]!.cache_efficiency,
  };
}
