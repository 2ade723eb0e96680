import { CompressionTypes, type Kafka } from 'kafkajs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openKafka } from '../../src/log/kafka-client.js';
import { createKafkaLog } from '../../src/log/kafka-log.js';
import type { PartitionReport } from '../../src/log/partition-report.js';
import { Ledger, newGroup } from './consumer-contract.js';
import {
  type LogHandle,
  logContract,
  newTopic,
  readAll,
  text,
  useLogs,
  valueText,
} from './contract.js';
import { anyBrokers, connectionTo, cuttableSockets, noKafka } from './kafka-brokers.js';

let brokers: string[];
let stop: (() => Promise<void>) | undefined;
let reports: PartitionReport[] = [];
beforeAll(async () => {
  if (noKafka === null) ({ brokers, stop } = await anyBrokers());
});
afterAll(() => stop?.());
beforeEach(() => {
  reports = [];
});

/** Connections of its own, as a process has. */
async function makeLog(): Promise<LogHandle> {
  const { socketFactory, cut } = cuttableSockets();
  const log = createKafkaLog({
    brokers,
    singleNode: true,
    sessionTimeoutMs: 6_000,
    report: (report) => reports.push(report),
    socketFactory,
  });
  return {
    log,
    close: () => log.close(),
    kill: async () => cut(),
  };
}

const skipped = noKafka === null ? '' : ` (skipped: ${noKafka})`;

describe.skipIf(noKafka !== null)(`Kafka${skipped}`, () => {
  logContract('Kafka', makeLog);

  const logs = useLogs(makeLog);

  /** Kafka's own way in, for what the log does not offer. */
  async function withKafka<T>(work: (kafka: Kafka) => Promise<T>): Promise<T> {
    const { kafka, end } = openKafka(connectionTo(brokers));
    return work(kafka).finally(end);
  }
  const withAdmin = <T>(work: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> =>
    withKafka(async (kafka) => {
      const admin = kafka.admin();
      await admin.connect();
      return work(admin);
    });
  const stoppedWith = (topic: string, code: string): Promise<void> =>
    vi.waitFor(
      () =>
        expect(reports).toContainEqual({
          kind: 'stopped',
          partition: { topic, partition: 0 },
          error: expect.objectContaining({ code }),
        }),
      60_000,
    );

  it('refuses topics and partitions that do not exist', async () => {
    const { log, topic } = await logs.openTopic(2);
    const wrong = { code: 'invalid_usage' };
    await Promise.all([
      expect(log.append(newTopic(), 0, [text('a')])).rejects.toMatchObject(wrong),
      expect(log.append(topic, 2, [text('a')])).rejects.toMatchObject(wrong),
      expect(log.read(topic, -1, 0, 1)).rejects.toMatchObject(wrong),
      expect(log.bounds(topic, 0.5)).rejects.toMatchObject(wrong),
    ]);
    const consumer = log.consumer(newGroup(), [topic, newTopic()]);
    await expect(consumer.start(new Ledger())).rejects.toMatchObject(wrong);
  });

  it('says that records are too large, and goes on', async () => {
    const { log, topic } = await logs.openTopic(1);
    const value = Buffer.alloc(2_000_000);
    await expect(log.append(topic, 0, [{ key: null, value }])).rejects.toMatchObject({
      code: 'record_too_large',
    });
    expect(await log.append(topic, 0, [text('a')])).toBe(0);
  });

  it('never begins elsewhere than where it was asked to', async () => {
    const { log, topic } = await logs.openTopic(1);
    await log.append(topic, 0, ['a', 'b', 'c'].map(text));
    await withAdmin(async (admin) => {
      await admin.fetchTopicOffsets(topic); // So that it knows the topic.
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
    });
    await expect(log.read(topic, 0, 1, 1000)).rejects.toMatchObject({ code: 'log_truncated' });
    expect((await readAll(log, topic, 0, 2)).map(valueText)).toEqual(['c']);
    expect(await log.bounds(topic, 0)).toEqual({ start: 2, end: 3 });
    expect(await log.read(topic, 0, 9, 1000)).toMatchObject({ records: [], highWatermark: 3 });

    const below = new Ledger();
    await log.consumer(newGroup(), [topic]).start(below);
    await stoppedWith(topic, 'log_truncated');
    const above = new Ledger();
    above.checkpoints.set(`${topic}/0`, 4);
    await log.consumer(newGroup(), [topic]).start(above);
    await stoppedWith(topic, 'log_recreated');
    expect([...below.delivered, ...above.delivered]).toEqual([]);
  });

  it('shows what transactions committed, and passes their markers', async () => {
    const { log, topic } = await logs.openTopic(1);
    await withKafka(async (kafka) => {
      const producer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1 });
      await producer.connect();
      for (const [value, isKept] of [
        ['a', true],
        ['aborted', false],
        ['b', true],
        ['aborted too', false],
      ] as const) {
        const transaction = await producer.transaction();
        await transaction.send({ topic, messages: [{ value, partition: 0 }] });
        await (isKept ? transaction.commit() : transaction.abort());
      }
    });
    expect(await log.bounds(topic, 0)).toEqual({ start: 0, end: 8 });
    const records = await readAll(log, topic, 0);
    expect(records.map((record) => [record.offset, valueText(record)])).toEqual([
      [0, 'a'],
      [4, 'b'],
    ]);
    // Only markers follow: a reader is at the end, and says so.
    expect(await log.read(topic, 0, 5, 1000)).toMatchObject({ records: [], highWatermark: 5 });
    const ledger = new Ledger();
    await log.consumer(newGroup(), [topic]).start(ledger);
    await log.append(topic, 0, [text('c')]);
    await vi.waitFor(() => expect(ledger.values(topic, 0)).toEqual(['a', 'b', 'c']), 60_000);
  });

  it('stops a partition that it cannot decompress, while the others go on', async () => {
    const { log, topic: readable } = await logs.openTopic(1);
    const topic = newTopic();
    await withAdmin((admin) =>
      admin.createTopics({
        topics: [{ topic, configEntries: [{ name: 'compression.type', value: 'lz4' }] }],
      }),
    );
    const ledger = new Ledger();
    await log.consumer(newGroup(), [topic, readable]).start(ledger);
    await log.append(topic, 0, [text('a')]);
    await stoppedWith(topic, 'codec_unsupported');
    await log.append(readable, 0, [text('b')]);
    await vi.waitFor(() => expect(ledger.values(readable, 0)).toEqual(['b']), 60_000);
    await expect(log.read(topic, 0, 0, 1000)).rejects.toMatchObject({ code: 'codec_unsupported' });
  });

  it('reads what others compress with gzip, and headers that stand twice', async () => {
    const { log, topic } = await logs.openTopic(1);
    await withKafka(async (kafka) => {
      const producer = kafka.producer();
      await producer.connect();
      const headers = { twice: ['first', 'last'], once: 'x' };
      await producer.send({
        topic,
        compression: CompressionTypes.GZIP,
        messages: Array.from({ length: 20 }, (_, n) => ({ value: `${n}`, headers })),
      });
    });
    const records = await readAll(log, topic, 0, 7);
    expect(records.map(valueText)).toEqual(Array.from({ length: 13 }, (_, n) => `${n + 7}`));
    expect(records[0]!.headers).toEqual({ twice: Buffer.from('last'), once: Buffer.from('x') });
  });

  it('waits for a member that is gone, instead of leaving one more behind', async () => {
    const { log, topic } = await logs.openTopic(2);
    const { socketFactory, cut } = cuttableSockets();
    const group = newGroup();
    const options = { brokers, sessionTimeoutMs: 6_000 };
    const gone = createKafkaLog({ ...options, socketFactory });
    onTestFinished(() => gone.close());
    await gone.consumer(group, [topic]).start(new Ledger());
    cut();
    // Shorter than what is left of the session of the other one.
    const patient = createKafkaLog({
      ...options,
      watchdogMs: 4_000,
      report: (report) => reports.push(report),
    });
    onTestFinished(() => patient.close());
    const ledger = new Ledger();
    await patient.consumer(group, [topic]).start(ledger);
    expect(reports).toEqual([]);
    await log.append(topic, 1, [text('a')]);
    await vi.waitFor(() => expect(ledger.values(topic, 1)).toEqual(['a']), 60_000);
  });

  it('tells the group where it stands, and does not ask it', async () => {
    const { log, topic } = await logs.openTopic(1);
    const group = newGroup();
    await log.append(topic, 0, ['a', 'b', 'c'].map(text));
    await log.consumer(group, [topic]).start(new Ledger());
    const told = async () => {
      const [of] = await withAdmin((admin) =>
        admin.fetchOffsets({ groupId: group, topics: [topic] }),
      );
      return of!.partitions[0]!.offset;
    };
    await vi.waitFor(async () => expect(await told()).toBe('3'), {
      timeout: 60_000,
      interval: 200,
    });
    await log.close();
    const later = await logs.open();
    const ledger = new Ledger();
    ledger.checkpoints.set(`${topic}/0`, 1);
    await later.log.consumer(group, [topic]).start(ledger);
    await vi.waitFor(() => expect(ledger.values(topic, 0)).toEqual(['b', 'c']), 60_000);
  });

  it('makes no topic that is weaker than it should be, unless told to', async () => {
    const { topic } = await logs.openTopic(1);
    const log = createKafkaLog({ brokers });
    const spec = { topic: newTopic(), partitions: 1, timestampType: 'LogAppendTime' as const };
    const compacted = newTopic();
    await withAdmin((admin) =>
      admin.createTopics({
        topics: [
          {
            topic: compacted,
            configEntries: [
              { name: 'cleanup.policy', value: 'compact' },
              { name: 'message.timestamp.type', value: 'LogAppendTime' },
            ],
          },
        ],
      }),
    );
    try {
      await expect(log.createTopics([{ ...spec, topic: compacted }])).rejects.toThrow('compacted');
      const { length: count } = brokers;
      if (count < 3) await expect(log.createTopics([spec])).rejects.toThrow('--single-node');
      expect(
        (await log.weaknesses([topic, newTopic()])).map((line) => line.slice(topic.length)),
      ).toEqual([' has 1 of 3 copies of a partition.', ' acknowledges what 1 machine holds.']);
    } finally {
      await log.close();
    }
  });
});
