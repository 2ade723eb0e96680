import type { Config } from '../config.js';
import type { Log, TimestampType } from '../log/port.js';
import { type Topics, topicSpecs } from '../log/topics.js';

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
