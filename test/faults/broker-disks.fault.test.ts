import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { type Stack, startStack } from '../../ops/stack/stack.js';
import { openKafka } from '../../src/log/kafka-client.js';
import { createKafkaLog, type KafkaLogOptions } from '../../src/log/kafka-log.js';
import type { Log } from '../../src/log/port.js';
import { newTopic } from '../log/contract.js';
import { connectionTo, noBrokers, serviceEnvironment } from '../log/kafka-brokers.js';
import { NumberedWriter, numbers } from './numbered-writer.js';
import { noSmallDisk, smallDisk } from './small-disk.js';

const WAIT = { timeout: 120_000, interval: 200 };

const cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
}, 60_000);

async function startBrokersIn(dir: string, kafka: 1 | 3): Promise<Stack> {
  const stack = await startStack({ kafka, environment: serviceEnvironment, dir });
  cleanUps.push(() => stack.stop());
  return stack;
}

function openLog(stack: Stack, options: Partial<KafkaLogOptions> = {}): Log {
  const log = createKafkaLog({
    brokers: stack.kafkaBrokers!.split(','),
    report: () => {},
    ...options,
  });
  cleanUps.push(() => log.close());
  return log;
}

async function inSyncReplicas(
  stack: Stack,
  topic: string,
): Promise<{ leader: number; isr: number[] }> {
  const { kafka, end } = openKafka(connectionTo(stack.kafkaBrokers!.split(',')));
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const { leader, isr } = topics[0]!.partitions[0]!;
    return { leader, isr };
  } finally {
    await admin.disconnect();
    end();
  }
}

it.skipIf(noBrokers !== null)(
  `the leader's disk is replaced by an empty one: nothing acknowledged is lost (I1)`,
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'airouter-brokers-'));
    cleanUps.push(() => rm(dir, { recursive: true, force: true }));
    const stack = await startBrokersIn(dir, 3);
    const log = openLog(stack);
    const topic = newTopic();
    await log.createTopics([{ topic, partitions: 1, timestampType: 'LogAppendTime' }]);
    const writer = new NumberedWriter(log, topic, 0);
    await writer.progress(500);

    const { leader } = await inSyncReplicas(stack, topic);
    const disk = join(dir, 'kafka-of-3', `kafka-${leader}`);
    await stack.kill(`kafka-${leader}`, 'SIGKILL');
    await wipe(disk);
    await writer.progress(500);
    await stack.restart(`kafka-${leader}`);
    await vi.waitFor(async () => {
      expect((await inSyncReplicas(stack, topic)).isr).toHaveLength(3);
    }, WAIT);
    await writer.progress(500);
    await writer.stop();
    expect(await writer.readBack()).toEqual(numbers(writer.acknowledged));
  },
);

/** An empty disk, formatted as the broker's first one was. */
async function wipe(disk: string): Promise<void> {
  const kept = await mkdtemp(join(tmpdir(), 'airouter-format-'));
  const format = ['meta.properties', 'bootstrap.checkpoint'];
  for (const name of format) await cp(join(disk, name), join(kept, name));
  await rm(disk, { recursive: true });
  await cp(kept, disk, { recursive: true });
  await rm(kept, { recursive: true });
}

it.skipIf(noBrokers !== null || noSmallDisk !== null)(
  `the broker's disk is full: appends reject, and all that was acknowledged is there when it has room (I1)`,
  async () => {
    const disk = smallDisk(160);
    cleanUps.push(() => disk.remove());
    const stack = await startBrokersIn(disk.path, 1);
    const log = openLog(stack, { singleNode: true });
    const topic = newTopic();
    await log.createTopics([{ topic, partitions: 1, timestampType: 'LogAppendTime' }]);
    const writer = new NumberedWriter(log, topic, 0);
    await writer.progress(200);

    disk.fill();
    const before = writer.rejected;
    await vi.waitFor(() => expect(writer.rejected).toBeGreaterThan(before), WAIT);
    // A broker that cannot write its only folder ends, or is ended here.
    await stack.kill('kafka-1', 'SIGKILL').catch(() => {});
    disk.free();
    await stack.restart('kafka-1');
    await writer.progress(200);
    await writer.stop();
    expect(await writer.readBack()).toEqual(numbers(writer.acknowledged));
  },
);
