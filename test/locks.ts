import type { Pool } from 'pg';

/** Whether a session of the database waits for a lock. */
export async function isAnyoneWaiting(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
  );
  return rowCount! > 0;
}

/** How many deadlocks the database ended so far. */
export async function deadlocks(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    'select deadlocks as count from pg_stat_database where datname = current_database()',
  );
  return rows[0]!.count;
}
