import type { Pool, PoolClient } from 'pg';
import { classify } from '../database/classify.js';
import { AiRouterError } from '../errors.js';

/** SQLSTATE. */
const LOCK_NOT_AVAILABLE = '55P03';

/** Runs one rebuild of a schema at a time; another one is `already_running`. */
export async function inTurn<T>(pool: Pool, schema: string, work: () => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw classify(error);
  });
  // Should its session be lost, another rebuild may begin, and drop the shadow: then this one fails.
  client.on('error', () => {});
  try {
    await takeTurn(client, schema);
    return await work();
  } finally {
    // The lock would end with its session, but a little later: the next rebuild may be called now.
    await client.query('select pg_advisory_unlock_all()').catch(() => {});
    client.release(true);
  }
}

/** Waits for one that has just been killed, as long as for any lock. */
async function takeTurn(client: PoolClient, schema: string): Promise<void> {
  try {
    await client.query('select pg_advisory_lock(hashtextextended($1, 0))', [`${schema}.rebuild`]);
  } catch (error) {
    if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw classify(error);
    throw new AiRouterError('already_running', `Another rebuild of ${schema} is running.`);
  }
}
