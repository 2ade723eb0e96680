import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { backoffMs, READ_RETRY } from '../backoff.js';
import { AiRouterError } from '../errors.js';
import { openKafka } from './kafka-client.js';
import type { KafkaConnection } from './kafka-connection.js';
import { asLogError, isUnknownTopic, kafkaCause } from './kafka-errors.js';
import type { LogAdmin, TimestampType, TopicSpec } from './port.js';
import { within } from './within.js';

export type KafkaTopics = Pick<
  LogAdmin,
  'createTopics' | 'partitions' | 'deleteTopics' | 'weaknesses'
>;

interface Found {
  partitions: number;
  /** Of the partition that has the fewest. */
  copies: number;
}

/** Longest wait for a controller to answer a change of topics. */
const OPERATION_TIMEOUT_MS = 30_000;
/** How long a topic may take until all its partitions have a leader, or until it is gone. */
const SETTLE_TIMEOUT_MS = 30_000;
/** No acknowledged record is lost when one machine is. */
const COPIES = { topic: 3, acknowledged: 2 };
const ANY_FUTURE = '9223372036854775807';

export function kafkaTopics(connection: KafkaConnection, singleNode: boolean): KafkaTopics {
  const cluster = `Kafka at ${connection.brokers.join(',')}`;
  const find = (topics: readonly string[]) =>
    withAdmin(connection, cluster, (admin) => findTopics(admin, topics));

  return {
    async createTopics(specs) {
      if (specs.length === 0) return;
      const names = specs.map(({ topic }) => topic);
      const found = await find(names);
      for (const spec of specs) {
        if (!found.has(spec.topic)) await createTopic(connection, spec, singleNode);
      }
      const made = await settle(
        () => find(names),
        (seen) => seen.size === new Set(names).size,
      );
      // The broker that is asked may not have heard yet of a topic that another one made.
      const settings = await settle(
        () => withAdmin(connection, cluster, (admin) => settingsOf(admin, names)),
        () => true,
      );
      for (const spec of specs) checkTopic(spec, made.get(spec.topic), settings.get(spec.topic)!);
    },
    async partitions(topics) {
      const found = await find(topics);
      return new Map([...found].map(([topic, { partitions }]) => [topic, partitions]));
    },
    async deleteTopics(topics) {
      const found = [...(await find(topics)).keys()];
      if (found.length === 0) return;
      await withAdmin(connection, `Removal of ${found.join(', ')}`, (admin) =>
        admin.deleteTopics({ topics: found, timeout: OPERATION_TIMEOUT_MS }),
      );
      await settle(
        () => find(topics),
        (left) => left.size === 0,
      );
    },
    async weaknesses(topics) {
      const found = await find(topics);
      const names = [...found.keys()];
      const settings = await withAdmin(connection, cluster, (admin) => settingsOf(admin, names));
      return names.flatMap((name) => weaknessesOf(name, found.get(name)!, settings.get(name)!));
    },
  };
}

/**
 * A client of its own for each operation: kafkajs keeps asking for every topic that a client was
 * ever asked about, and fails when one of them is gone.
 */
async function withAdmin<T>(
  connection: KafkaConnection,
  what: string,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const { kafka, end } = openKafka(connection);
  const admin = kafka.admin();
  const result = admin.connect().then(() => work(admin));
  try {
    return await within(result, OPERATION_TIMEOUT_MS, 'no answer in time');
  } catch (error) {
    throw asLogError(error, what);
  } finally {
    end();
  }
}

/** One by one: kafkajs answers a question for several only if none of them has a trouble. */
async function findTopics(admin: Admin, names: readonly string[]): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const name of names) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
      const { partitions } = topics[0]!;
      const copies = Math.min(...partitions.map(({ replicas }) => replicas.length));
      found.set(name, { partitions: partitions.length, copies });
    } catch (error) {
      if (!isUnknownTopic(error)) throw error;
    }
  }
  return found;
}

async function createTopic(
  connection: KafkaConnection,
  { topic, partitions, timestampType, recordBytesMax }: TopicSpec,
  singleNode: boolean,
): Promise<void> {
  const settings = {
    ...settingsFor(singleNode),
    'message.timestamp.type': timestampType,
    ...(recordBytesMax === undefined ? {} : { 'max.message.bytes': String(recordBytesMax) }),
    // The records of a simulation have the times of its own clock.
    ...(timestampType === 'CreateTime' ? { 'message.timestamp.after.max.ms': ANY_FUTURE } : {}),
  };
  await withAdmin(connection, `Topic ${topic}`, async (admin) => {
    try {
      await admin.createTopics({
        waitForLeaders: false,
        timeout: OPERATION_TIMEOUT_MS,
        topics: [
          {
            topic,
            numPartitions: partitions,
            replicationFactor: singleNode ? 1 : COPIES.topic,
            configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
          },
        ],
      });
    } catch (error) {
      if (kafkaCause(error).type === 'INVALID_REPLICATION_FACTOR')
        throw tooFewBrokers(topic, error);
      throw error;
    }
  });
}

function settingsFor(singleNode: boolean): Record<string, string> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'retention.bytes': '-1',
    'unclean.leader.election.enable': 'false',
    'min.insync.replicas': String(singleNode ? 1 : COPIES.acknowledged),
  };
}

type Settings = ReadonlyMap<string, string>;

async function settingsOf(admin: Admin, topics: readonly string[]): Promise<Map<string, Settings>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}

function checkTopic(asked: TopicSpec, found: Found | undefined, settings: Settings): void {
  const timestampType = settings.get('message.timestamp.type') as TimestampType | undefined;
  if (found?.partitions !== asked.partitions || timestampType !== asked.timestampType) {
    throw refused(
      asked.topic,
      `exists with ${found?.partitions} partitions and ${timestampType}; asked for are ` +
        `${asked.partitions} and ${asked.timestampType}`,
      'the partitions and timestamps that the topic was made with',
    );
  }
  if (settings.get('cleanup.policy') !== 'delete') {
    throw refused(
      asked.topic,
      `is compacted (cleanup.policy=${settings.get('cleanup.policy')}): it cannot be folded again`,
      'cleanup.policy=delete',
    );
  }
}

function weaknessesOf(topic: string, { copies }: Found, settings: Settings): string[] {
  const sentences: string[] = [];
  if (copies < COPIES.topic) {
    sentences.push(`${topic} has ${copies} of ${COPIES.topic} copies of a partition.`);
  }
  const acknowledged = Number(settings.get('min.insync.replicas'));
  if (!(acknowledged >= COPIES.acknowledged)) {
    sentences.push(`${topic} acknowledges what ${acknowledged} machine holds.`);
  }
  for (const [name, value] of Object.entries(settingsFor(false))) {
    if (name === 'min.insync.replicas' || settings.get(name) === value) continue;
    sentences.push(`${topic} has ${name}=${settings.get(name)} instead of ${value}.`);
  }
  return sentences;
}

function tooFewBrokers(topic: string, cause: unknown): AiRouterError {
  return new AiRouterError(
    'invalid_setting',
    `Topic ${topic} needs ${COPIES.topic} brokers, so that an acknowledged record outlives the ` +
      'loss of one. On fewer, `airouter topics create --single-node` makes topics whose ' +
      "acknowledgement is one machine's page cache.",
    { field: 'KAFKA_BROKERS', rule: 'three brokers', cause },
  );
}

function refused(topic: string, what: string, rule: string): AiRouterError {
  return new AiRouterError('invalid_setting', `Topic ${topic} ${what}.`, { field: topic, rule });
}

/**
 * Looks until it is so: brokers learn of a topic one after another, and a topic whose partitions
 * have no leader yet cannot be looked at.
 */
async function settle<T>(look: () => Promise<T>, isDone: (seen: T) => boolean): Promise<T> {
  const startedMs = performance.now();
  for (let looks = 1; ; looks += 1) {
    const isLate = performance.now() - startedMs > SETTLE_TIMEOUT_MS;
    try {
      const seen = await look();
      if (isDone(seen)) return seen;
    } catch (error) {
      if (isLate) throw error;
    }
    if (isLate) {
      throw new AiRouterError(
        'log_unavailable',
        'The cluster did not finish the change of topics.',
      );
    }
    await sleep(backoffMs(looks, READ_RETRY));
  }
}
