import type { Pool } from 'pg';
import { AiRouterError } from '../errors.js';
import type { Log } from '../log/port.js';
import { type Topics, topicSpecs } from '../log/topics.js';
import { projectionSchema } from '../project/projection-version.js';

/** The demo's own namespace, where none is set. */
export const DEMO_NAMESPACE = 'demo';

/**
 * Empties a namespace, so that a run counts itself alone, and makes its topics with the records'
 * own times. A namespace whose topics keep the log's time is refused by the first call, before
 * anything is removed: its records are real, and somebody's.
 */
export async function emptyNamespace(
  log: Log,
  pool: Pool,
  topics: Topics,
  namespace: string,
  partitions: number,
): Promise<void> {
  const specs = topicSpecs(topics, partitions, 'CreateTime');
  await log.createTopics(specs).catch((error: unknown) => {
    if (!(error instanceof AiRouterError) || error.code !== 'invalid_setting') throw error;
    throw new AiRouterError(
      'invalid_setting',
      `--namespace must be one that only the demo uses, since it empties it, got "${namespace}": ${error.message}`,
      { field: '--namespace', rule: 'one that only the demo uses', cause: error },
    );
  });
  await pool.query(`drop schema if exists "${projectionSchema(namespace)}" cascade`);
  await log.deleteTopics(specs.map((spec) => spec.topic));
  await log.createTopics(specs);
}
