import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import { TABLE_NAMES } from '../fold/tables.js';
import { TURN_SETTING } from '../project/versions.js';
import { givingWay } from './give-way.js';
import { copyGrants } from './grants.js';
import { hasTable } from './live.js';
import { dropSchema, retiredSchema } from './shadow.js';

/** Below the second after which Postgres looks for deadlocks: we give way, not a projector. */
const LOCK_TIMEOUT_MS = 800;

export interface SwapOptions {
  pool: Pool;
  live: string;
  shadow: string;
  /** Brings the shadow nearer to where the live projection is, while that goes on. */
  approach(): Promise<void>;
  /**
   * Brings it to where the live projection is, in whose transaction no one commits: that must not
   * take long. `isLive`: whether there are checkpoints to be asked.
   */
  arrive(client: PoolClient, isLive: boolean): Promise<void>;
}

/**
 * Puts the shadow in the place of the live schema, in one transaction. Commits of projectors are
 * held up in it, so the shadow is exactly where they are; then they find other tables under the
 * same names, their compare-and-set fails, and they load their state again from what is there now.
 * Hot keys are of another generation from then on, and are written anew.
 *
 * Who reads or writes holds it up, never the other way round for long: it gives way and tries again.
 */
export async function swap(options: SwapOptions): Promise<void> {
  await givingWay(async () => {
    await options.approach();
    await withTransaction(options.pool, 'read committed', (client) => exchange(client, options));
  });
  await dropSchema(options.pool, retiredSchema(options.live));
}

async function exchange(client: PoolClient, options: SwapOptions): Promise<void> {
  const { live, shadow } = options;
  // What was written without waiting for the disk is on it when this commit is.
  await client.query('set local synchronous_commit = on');
  await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
  const isLive = await hasTable(client, live, 'projection_checkpoint');
  // Every commit, and every read of many tables but one, begins with the checkpoints.
  if (isLive) await lock(client, live, ['projection_checkpoint'], 'share row exclusive');
  await options.arrive(client, isLive);
  await keepAllowances(client, live, shadow, isLive);
  if (isLive) {
    await lock(client, live, ['projection_checkpoint'], 'access exclusive');
    for (const name of TABLE_NAMES) {
      if (await hasTable(client, live, name)) await lock(client, live, [name], 'access exclusive');
    }
  }
  if (isLive) await keepInForce(client, live, shadow);
  await copyGrants(client, live, shadow);
  const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [live]);
  if (rowCount === 1)
    await client.query(`alter schema "${live}" rename to "${retiredSchema(live)}"`);
  await client.query(`alter schema "${shadow}" rename to "${live}"`);
}

async function lock(
  client: PoolClient,
  schema: string,
  tables: readonly string[],
  mode: string,
): Promise<void> {
  const names = tables.map((table) => `"${schema}".${table}`);
  await client.query(`lock table ${names.join(', ')} in ${mode} mode`);
}

/**
 * What an operator let pass stays allowed, and letters that are known stay known. Where nobody can
 * be asked any more, a partition whose limit was passed had been let pass, or there would be nothing
 * behind it.
 */
async function keepAllowances(
  client: PoolClient,
  live: string,
  shadow: string,
  isLive: boolean,
): Promise<void> {
  await client.query(
    isLive
      ? `update "${shadow}".projection_checkpoint as made
         set allowed_to = stored.allowed_to, dead_letters_from = stored.dead_letters_from
         from "${live}".projection_checkpoint as stored
         where stored.topic = made.topic and stored.partition = made.partition`
      : `update "${shadow}".projection_checkpoint set allowed_to = offset_next
         where undecodable_run > 0 or undecodable_recent <> '{}'`,
  );
}

/** What readers are pointed at stays: the version is the same. */
async function keepInForce(client: PoolClient, live: string, shadow: string): Promise<void> {
  if (!(await hasTable(client, live, 'projection_setting'))) return;
  await client.query(
    `insert into "${shadow}".projection_setting (name, value)
     select name, value from "${live}".projection_setting where name = $1 on conflict do nothing`,
    [TURN_SETTING],
  );
}
