import type { Config } from '../config.js';
import type { Log, TimestampType } from '../log/port.js';
import { type Topics, topicSpecs } from '../log/topics.js';
import type { Logger } from '../observe/logger.js';

/** Makes the topics that are missing; what exists stays as it is, its partitions and its times. */
export async function createMissingTopics(
  log: Log,
  topics: Topics,
  { partitions }: Pick<Config, 'partitions'>,
  timestampType: TimestampType,
): Promise<void> {
  const specs = topicSpecs(topics, partitions, timestampType);
  const existing = await log.partitions(specs.map((spec) => spec.topic));
  await log.createTopics(specs.filter((spec) => !existing.has(spec.topic)));
}

/**
 * One line where acknowledged records are less safe than they would be in topics that were made
 * here. A role starts anyway: somebody may have chosen so, or it may not be allowed to look.
 */
export async function sayWeaknesses(
  log: Pick<Log, 'weaknesses'>,
  topics: Topics,
  logger: Pick<Logger, 'info' | 'warn'>,
): Promise<void> {
  try {
    const weaknesses = await log.weaknesses(Object.values(topics));
    if (weaknesses.length === 0) return;
    logger.warn({ weaknesses }, 'Topics are weaker than acknowledged records need.');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    logger.info({ reason }, 'How safe the topics are cannot be seen.');
  }
}
