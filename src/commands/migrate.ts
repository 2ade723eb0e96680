import { join } from 'node:path';
import { checkServer } from '../database/check-server.js';
import { createPool } from '../database/connect.js';
import { migrate } from '../database/migrate.js';
import { AiRouterError } from '../errors.js';
import { logSchema } from '../log/embedded-log.js';
import { packageRoot } from '../package-root.js';
import { migrateProjection, projectionSchema } from '../project/projection-version.js';
import type { CommandContext } from './context.js';

/**
 * `airouter migrate`: brings the schemas of a database up to date as the role that owns them, for
 * projectors whose role may only write rows. Others do it themselves when they start.
 */
export async function run({ config, json, answer, print }: CommandContext): Promise<void> {
  const { databaseUrl, kafkaBrokers, namespace } = config;
  if (databaseUrl === null) {
    throw new AiRouterError(
      'invalid_usage',
      'migrate: DATABASE_URL is not set, and the embedded Postgres is migrated by who starts it',
    );
  }
  const pool = createPool(databaseUrl, {
    poolSize: 1,
    statementTimeoutMs: config.statementTimeoutMs,
    lockTimeoutMs: config.lockTimeoutMs,
    applicationName: 'airouter migrate',
  });
  await checkServer(pool, databaseUrl, config.statementTimeoutMs).finally(() => pool.end());

  const schema = projectionSchema(namespace);
  const schemas: Record<string, string[]> = {
    [schema]: await migrateProjection(databaseUrl, schema),
  };
  if (kafkaBrokers === null) {
    const folder = join(packageRoot, 'schemas', 'postgres', 'log');
    const log = logSchema(namespace);
    schemas[log] = await migrate(databaseUrl, { schema: log, folder });
  }
  if (json) return answer({ schemas });
  for (const [name, ran] of Object.entries(schemas)) {
    print(`${name}: ${ran.length === 0 ? 'up to date' : ran.join(', ')}`);
  }
}
