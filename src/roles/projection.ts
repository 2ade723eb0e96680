import { AiRouterError } from '../errors.js';
import type { Parts } from './parts.js';

/** For commands that read the projection: without one, `invalid_usage`. */
export async function requireProjection({ pool, schema }: Parts): Promise<void> {
  const { rows } = await pool.query<{ exists: boolean }>(
    'select to_regclass($1) is not null as exists',
    [`"${schema}".projection_setting`],
  );
  if (rows[0]!.exists) return;
  throw new AiRouterError(
    'invalid_usage',
    `There is no projection ${schema} yet: start \`airouter all\` first, or name its --namespace`,
  );
}
