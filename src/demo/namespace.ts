import { join } from 'node:path';
import type { Pool } from 'pg';
import { migrate } from '../database/migrate.js';
import { AiRouterError } from '../errors.js';
import { logSchema } from '../log/embedded-log.js';
import { packageRoot } from '../package-root.js';
import { projectionSchema } from '../project/projection-version.js';

/** The demo's own namespace, where none is set. */
export const DEMO_NAMESPACE = 'demo';

/**
 * Empties a namespace of an embedded log, so that a run counts itself alone. Refused where its log
 * holds records that keep the log's time: those are real, and somebody's.
 */
export async function emptyNamespace(
  databaseUrl: string,
  pool: Pool,
  namespace: string,
): Promise<void> {
  const log = logSchema(namespace);
  const { rows } = await pool.query<{ exists: boolean }>(
    `select to_regclass($1) is not null as exists`,
    [`"${log}".log_topic`],
  );
  if (rows[0]!.exists) {
    const real = await pool.query<{ name: string }>(
      `select topic as name from "${log}".log_topic where timestamp_type <> 'CreateTime' limit 1`,
    );
    if (real.rows.length > 0) {
      throw new AiRouterError(
        'invalid_setting',
        `AIROUTER_NAMESPACE must name an empty or simulated namespace, but "${namespace}" holds real topics`,
        { field: 'AIROUTER_NAMESPACE', rule: 'an empty or simulated namespace' },
      );
    }
  }
  await pool.query(`drop schema if exists "${log}" cascade`);
  await pool.query(`drop schema if exists "${projectionSchema(namespace)}" cascade`);
  await migrate(databaseUrl, {
    schema: log,
    folder: join(packageRoot, 'schemas', 'postgres', 'log'),
  });
}
