import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import pg from 'pg';
import { afterEach, expect, type TestContext, test } from 'vitest';
import { fetchKafkaFiles } from '../../ops/stack/kafka-files.js';
import { inspectMachine } from '../../ops/stack/machine.js';
import { planStack, type Wanted } from '../../ops/stack/plan.js';
import { silent } from '../../ops/stack/progress.js';
import { type Stack, startStack } from '../../ops/stack/stack.js';

// The variables that name real services are left out: these tests kill what they use.
const environment = Object.fromEntries(
  ['PATH', 'HOME', 'XDG_CACHE_HOME', 'JAVA_HOME'].map((name) => [name, process.env[name]]),
);

let stack: Stack | null = null;
afterEach(async () => {
  await stack?.stop();
  stack = null;
});

async function start(context: TestContext, wanted: Partial<Wanted>): Promise<Stack> {
  const all: Wanted = { kafka: 0, redis: 'none', postgres: 'none', ...wanted };
  const plan = planStack(all, inspectMachine(environment), environment);
  const missing = plan.find((part) => part.source === 'unavailable');
  if (missing) context.skip(missing.sentence);
  stack = await startStack({ ...wanted, environment });
  return stack;
}

function kafkaOf(brokers: string): Kafka {
  return new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
}

test('three brokers: what two have acknowledged is there after the leader was killed', async (context) => {
  const { kafkaBrokers, kill, restart, processes } = await start(context, { kafka: 3 });
  expect(processes).toEqual(['kafka-1', 'kafka-2', 'kafka-3']);
  const kafka = kafkaOf(kafkaBrokers as string);
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  try {
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic: 't' }], waitForLeaders: true });
    await producer.send({ topic: 't', acks: -1, messages: [{ value: 'kept' }] });
    const before = await admin.fetchTopicMetadata({ topics: ['t'] });
    const leader = before.topics[0]?.partitions[0]?.leader as number;
    expect(before.topics[0]?.partitions[0]?.isr).toHaveLength(3);
    await kill(`kafka-${leader}`, 'SIGKILL');
    await expect
      .poll(() => admin.fetchTopicOffsets('t').catch(() => []), { timeout: 60_000 })
      .toMatchObject([{ partition: 0, high: '1' }]);
    await restart(`kafka-${leader}`);
    expect((await admin.describeCluster()).brokers).toHaveLength(3);
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
});

test('a broker has the features of a formatted one, and keeps its data over a kill', async (context) => {
  const { kafkaBrokers, kill, restart } = await start(context, { kafka: 1 });
  const described = await featuresOf(kafkaBrokers as string);
  for (const feature of [
    'eligible.leader.replicas.version',
    'group.version',
    'transaction.version',
  ]) {
    expect(described).toMatch(new RegExp(`Feature: ${feature}.*FinalizedVersionLevel: [1-9]`));
  }
  const admin = kafkaOf(kafkaBrokers as string).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 't', numPartitions: 2 }], waitForLeaders: true });
  await admin.disconnect();
  await kill('kafka-1', 'SIGKILL');
  await restart('kafka-1');
  const later = kafkaOf(kafkaBrokers as string).admin();
  await later.connect();
  expect(await later.listTopics()).toContain('t');
  await later.disconnect();
});

/** As Kafka's own tool tells them: a node without its bootstrap file has them all at level 0. */
async function featuresOf(brokers: string): Promise<string> {
  const { java, maven, cacheDir } = inspectMachine(environment);
  const tools = { java: java?.path ?? 'java', maven };
  const files = await fetchKafkaFiles(tools, cacheDir, silent);
  const tool = 'org.apache.kafka.tools.FeatureCommand';
  const args = ['-cp', files.classpath, tool, '--bootstrap-server', brokers, 'describe'];
  return (await promisify(execFile)(files.java, args)).stdout;
}

test('a redis starts again empty on its port', async (context) => {
  const { redisUrl, kill, restart } = await start(context, { redis: 'single' });
  const redis = new Redis(redisUrl as string);
  redis.on('error', () => {});
  try {
    await redis.set('a', '1');
    expect(await redis.config('GET', 'maxmemory-policy')).toContain('allkeys-lru');
    await kill('redis', 'SIGKILL');
    await restart('redis');
    expect(await redis.get('a')).toBeNull();
  } finally {
    redis.disconnect();
  }
});

test('a cluster of redis serves all slots again after a master was killed', async (context) => {
  const { redisUrl, kill, restart, processes } = await start(context, { redis: 'cluster' });
  expect(processes).toHaveLength(6);
  const nodes = (redisUrl as string).split(',').map((url) => ({
    host: new URL(url).hostname,
    port: Number(new URL(url).port),
  }));
  const cluster = new Redis.Cluster(nodes, { redisOptions: { commandTimeout: 1000 } });
  cluster.on('error', () => {});
  const write = () =>
    Promise.all(Array.from({ length: 50 }, (_, index) => cluster.set(`k${index}`, index)));
  try {
    await write();
    await kill('redis-1', 'SIGKILL');
    await expect.poll(() => write().then(() => 'all', String), { timeout: 60_000 }).toBe('all');
    await restart('redis-1');
  } finally {
    cluster.disconnect();
  }
});

test.for(['embedded', 'system'] as const)(
  'the %s postgres keeps what was committed when it is killed',
  async (kind, context) => {
    const { databaseUrl, kill, restart } = await start(context, { postgres: kind });
    const query = async (text: string) => {
      const client = new pg.Client({ connectionString: databaseUrl as string });
      client.on('error', () => {});
      await client.connect();
      return client.query(text).finally(() => client.end());
    };
    await query('create table t as select 7 as n');
    await kill('postgres', 'SIGKILL');
    await restart('postgres');
    expect((await query('select n from t')).rows).toEqual([{ n: 7 }]);
  },
);

test('a stack that is stopped leaves neither processes nor data', async (context) => {
  const { redisUrl, stop } = await start(context, { redis: 'single' });
  const redis = new Redis(redisUrl as string);
  const [, dir] = (await redis.config('GET', 'dir')) as [string, string];
  redis.disconnect();
  expect(existsSync(dir)).toBe(true);
  await stop();
  expect(existsSync(dir)).toBe(false);
});

test('an address that the environment names is handed on, and its process is not ours to kill', async () => {
  const named = await startStack({
    redis: 'single',
    environment: { REDIS_URL: 'redis://named:1' },
  });
  expect(named.redisUrl).toBe('redis://named:1');
  expect(named.processes).toEqual([]);
  await expect(named.kill('redis', 'SIGKILL')).rejects.toThrow('no process redis was started here');
  await named.stop();
});
