import { afterEach, expect, it, vi } from 'vitest';
import type { Stack } from '../../ops/stack/stack.js';
import { openKafka } from '../../src/log/kafka-client.js';
import { createKafkaLog } from '../../src/log/kafka-log.js';
import type { Log, LogConsumer } from '../../src/log/port.js';
import { Ledger, newGroup } from '../log/consumer-contract.js';
import { newTopic } from '../log/contract.js';
import { connectionTo, noBrokers, startBrokers } from '../log/kafka-brokers.js';
import { NumberedWriter, numbers } from './numbered-writer.js';

const WAIT = { timeout: 150_000, interval: 100 };

let stack: Stack;
const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
}, 60_000);

async function openBroker(): Promise<void> {
  stack = await startBrokers(1);
  cleanUps.push(() => stack.stop());
}

function openLog(): Log {
  const log = createKafkaLog({
    brokers: stack.kafkaBrokers!.split(','),
    singleNode: true,
    sessionTimeoutMs: 6_000,
    report: () => {},
  });
  cleanUps.push(() => log.close());
  return log;
}

async function openTopic(log: Log, partitions: number): Promise<string> {
  const topic = newTopic();
  await log.createTopics([{ topic, partitions, timestampType: 'LogAppendTime' }]);
  return topic;
}

/** Everything acknowledged arrived, once and in order. */
async function expectDelivered(ledger: Ledger, topic: string, writers: NumberedWriter[]) {
  for (const [partition, writer] of writers.entries()) {
    const written = numbers(writer.acknowledged).map(String);
    await vi.waitFor(() => expect(ledger.values(topic, partition)).toEqual(written), WAIT);
  }
}

it.skipIf(noBrokers !== null)(
  'partitions that are added under load are read, from their first record on (I1 I2)',
  async () => {
    await openBroker();
    const log = openLog();
    const topic = await openTopic(log, 4);
    const ledger = new Ledger();
    const consumer = log.consumer(newGroup(), [topic]);
    await consumer.start(ledger);
    const writers = [0, 1, 2, 3].map((partition) => new NumberedWriter(log, topic, partition));
    await Promise.all(writers.map((writer) => writer.progress(100)));

    const { kafka, end } = openKafka(connectionTo(stack.kafkaBrokers!.split(',')));
    const admin = kafka.admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic, count: 12 }] });
    await admin.disconnect();
    end();
    const others = openLog();
    for (let partition = 4; partition < 12; partition += 1) {
      writers.push(new NumberedWriter(others, topic, partition));
    }
    await Promise.all(writers.map((writer) => writer.progress(100)));
    await Promise.all(writers.map((writer) => writer.stop()));
    await expectDelivered(ledger, topic, writers);
  },
);

it.skipIf(noBrokers !== null)(
  'a process that does nothing for half a session keeps its partitions (I5)',
  async () => {
    await openBroker();
    const log = openLog();
    const topic = await openTopic(log, 2);
    const ledger = new Ledger();
    let isBlocking = true;
    ledger.before = async () => {
      const endMs = performance.now() + (isBlocking ? 3_000 : 0);
      isBlocking = false;
      while (performance.now() < endMs);
    };
    await log.consumer(newGroup(), [topic]).start(ledger);
    const writers = [0, 1].map((partition) => new NumberedWriter(log, topic, partition));
    await Promise.all(writers.map((writer) => writer.progress(20)));
    expect(isBlocking).toBe(false);
    await Promise.all(writers.map((writer) => writer.stop()));
    await expectDelivered(ledger, topic, writers);
    expect(ledger.revokedPlaces).toEqual([]);
  },
);

it.skipIf(noBrokers !== null)(
  'members that come and go for a minute: each record is delivered once, in order (I1 I2 I5)',
  async () => {
    await openBroker();
    const topic = await openTopic(openLog(), 6);
    const group = newGroup();
    const ledger = new Ledger();
    const writerLog = openLog();
    const writers = [0, 1, 2, 3, 4, 5].map(
      (partition) => new NumberedWriter(writerLog, topic, partition),
    );
    const members: LogConsumer[] = [];
    const join = async () => {
      const consumer = openLog().consumer(group, [topic]);
      members.push(consumer);
      await consumer.start(new Ledger(ledger));
    };
    await join();
    const endMs = performance.now() + 60_000;
    while (performance.now() < endMs) {
      // Two seconds a change: a member joins, or the oldest leaves.
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      if (members.length < 5) await join();
      else await members.shift()!.close();
    }
    await Promise.all(writers.map((writer) => writer.stop()));
    await expectDelivered(ledger, topic, writers);
  },
);
