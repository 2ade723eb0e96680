import { AiRouterError } from '../errors.js';
import type { Log } from '../log/port.js';
import { topicSpecs, topicsOf } from '../log/topics.js';
import { openKafkaLog } from '../roles/kafka.js';
import type { CommandContext } from './context.js';

const SINGLE_NODE_WARNING =
  "These topics have one copy: an acknowledgement is one machine's page cache, and what it held " +
  'is lost with the machine.';

/** `airouter topics create [--single-node]`: makes what is missing, checks what is there. */
export async function run(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  const { config, logger } = context;
  const [action] = options['args'] as string[];
  if (action !== 'create') {
    throw new AiRouterError('invalid_usage', `topics: the action must be create, got "${action}"`);
  }
  const singleNode = options['singleNode'] === true;
  const log = openKafkaLog({ config, logger, singleNode });
  if (log === null) {
    throw new AiRouterError(
      'invalid_usage',
      'topics: KAFKA_BROKERS is not set, and the embedded log makes its topics itself',
    );
  }
  try {
    await createTopics(context, log, singleNode);
  } finally {
    await log.close();
  }
}

async function createTopics(
  { config, json, progress, answer, print }: CommandContext,
  log: Log,
  singleNode: boolean,
): Promise<void> {
  const specs = topicSpecs(topicsOf(config.namespace), config.partitions, 'LogAppendTime');
  const names = specs.map(({ topic }) => topic);
  const before = await log.partitions(names);
  await log.createTopics(specs);
  const weaknesses = await log.weaknesses(names);
  if (weaknesses.length > 0 && !singleNode) {
    for (const sentence of weaknesses) progress(sentence);
    throw new AiRouterError(
      'check_failed',
      'The topics are weaker than acknowledged records need; --single-node accepts that',
    );
  }
  if (weaknesses.length > 0) progress(SINGLE_NODE_WARNING);
  const topics = specs.map(({ topic, partitions }) => ({
    topic,
    partitions,
    created: !before.has(topic),
  }));
  if (json) answer({ topics, single_node: singleNode, weaknesses });
  else for (const { topic, partitions } of topics) print(`${topic} ${partitions}`);
}
