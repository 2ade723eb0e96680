import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Stack } from '../../ops/stack/stack.js';
import { openKafka } from '../../src/log/kafka-client.js';
import { createKafkaLog, type KafkaLogOptions } from '../../src/log/kafka-log.js';
import type { PartitionReport } from '../../src/log/partition-report.js';
import type { Log, NewRecord } from '../../src/log/port.js';
import { Ledger, newGroup } from './consumer-contract.js';
import { newTopic, readAll, valueText } from './contract.js';
import { connectionTo, noBrokers, startBrokers } from './kafka-brokers.js';

const APPEND_RECORDS = 50;
const WAIT = { timeout: 90_000, interval: 100 };

const skipped = noBrokers === null ? '' : ` (skipped: ${noBrokers})`;

let stack: Stack;
let logs: Log[] = [];
let reports: PartitionReport[] = [];
afterEach(async () => {
  await Promise.all(logs.map((log) => log.close()));
  logs = [];
  reports = [];
  await stack.stop();
}, 60_000);

function newLog(options: Partial<KafkaLogOptions> = {}): Log {
  const log = createKafkaLog({
    brokers: stack.kafkaBrokers!.split(','),
    sessionTimeoutMs: 6_000,
    report: (report) => reports.push(report),
    ...options,
  });
  logs.push(log);
  return log;
}

/**
 * Numbers records and appends them to one partition without a pause, the same ones again after
 * each rejection, as a publisher does.
 */
function startWriter(log: Log, topic: string, partition: number) {
  let isStopping = false;
  /** First offset of each append, by its number, and how often it was sent. */
  const appends: { offset: number; sends: number }[] = [];
  const batch = (turn: number): NewRecord[] =>
    Array.from({ length: APPEND_RECORDS }, (_, n) => ({
      key: null,
      value: Buffer.from(`${turn * APPEND_RECORDS + n}`),
    }));
  const write = async (): Promise<void> => {
    while (!isStopping) {
      const records = batch(appends.length);
      for (let sends = 1; ; sends += 1) {
        try {
          appends.push({ offset: await log.append(topic, partition, records), sends });
          break;
        } catch (error) {
          expect(error).toMatchObject({ code: 'log_unavailable' });
          await sleep(50);
        }
      }
    }
  };
  const writing = write();
  return {
    appends,
    acknowledged: () => appends.length * APPEND_RECORDS,
    async stop() {
      isStopping = true;
      await writing;
    },
  };
}
type Writer = ReturnType<typeof startWriter>;

const total = (writers: readonly Writer[]): number =>
  writers.reduce((sum, writer) => sum + writer.acknowledged(), 0);

/** So many more records are acknowledged in each partition. */
async function progress(writers: readonly Writer[], records: number): Promise<void> {
  const goals = writers.map((writer) => writer.acknowledged() + records);
  await vi.waitFor(() => {
    for (const [n, writer] of writers.entries()) {
      expect(writer.acknowledged()).toBeGreaterThanOrEqual(goals[n]!);
    }
  }, WAIT);
}

async function leaderOf(topic: string, partition: number): Promise<string> {
  const { kafka, end } = openKafka(connectionTo(stack.kafkaBrokers!.split(',')));
  const admin = kafka.admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  end();
  return `kafka-${topics[0]!.partitions.find((one) => one.partitionId === partition)!.leader}`;
}

/**
 * What is acknowledged can be read at once. A broker that was the leader answers too, and knows
 * later what is acknowledged: a reader that still holds on to it would miss the newest records.
 */
async function expectReadable(log: Log, topic: string, partition: number, writer: Writer) {
  for (let n = 0; n < 100; n += 1) {
    const { offset } = writer.appends.at(-1)!;
    expect((await log.read(topic, partition, offset, 1)).records[0]?.offset).toBe(offset);
  }
}

/** Reads all back: nothing is missing, and nothing is there twice that was not sent twice. */
async function expectComplete(log: Log, topic: string, partition: number, writer: Writer) {
  const records = await readAll(log, topic, partition);
  const copies = new Map<number, number>();
  let last = -1;
  for (const record of records) {
    const number = Number(valueText(record));
    copies.set(number, (copies.get(number) ?? 0) + 1);
    // First copies come in order: a later one never overtakes.
    if (copies.get(number) === 1) {
      expect(number).toBe(last + 1);
      last = number;
    }
  }
  expect(last + 1).toBe(writer.acknowledged());
  const byOffset = new Map(records.map((record) => [record.offset, Number(valueText(record))]));
  for (const [turn, { offset, sends }] of writer.appends.entries()) {
    expect(byOffset.get(offset)).toBe(turn * APPEND_RECORDS);
    expect(copies.get(turn * APPEND_RECORDS)).toBeLessThanOrEqual(sends);
  }
  return records;
}

describe.skipIf(noBrokers !== null)(`Kafka of three brokers${skipped}`, () => {
  it('loses and repeats nothing when leaders are killed and hang, in the log and in a group (I1 I5)', async () => {
    stack = await startBrokers(3);
    const topic = newTopic();
    const partitions = [0, 1, 2];
    const log = newLog();
    await log.createTopics([{ topic, partitions: 3, timestampType: 'LogAppendTime' }]);
    expect(await log.weaknesses([topic])).toEqual([]);
    const [first, ...others] = [new Ledger(), null, null] as const;
    const group = newGroup();
    const members = [first, ...others.map(() => new Ledger(first))];
    for (const ledger of members.slice(0, 2)) {
      await newLog().consumer(group, [topic]).start(ledger);
    }
    const writers = partitions.map((partition) => startWriter(log, topic, partition));
    await progress(writers, 5_000);

    const killed = await leaderOf(topic, 0);
    await stack.kill(killed, 'SIGKILL');
    await progress(writers, 3_000);
    const third = newLog().consumer(group, [topic]);
    await third.start(members[2]!);
    await stack.restart(killed);
    await progress(writers, 2_000);

    const frozen = await leaderOf(topic, 1);
    await log.read(topic, 1, 0, 1);
    await stack.kill(frozen, 'SIGSTOP');
    await sleep(10_000);
    await stack.kill(frozen, 'SIGCONT');
    await third.close();
    await progress(writers, 2_000);
    await expectReadable(log, topic, 1, writers[1]!);
    await vi.waitFor(() => expect(total(writers)).toBeGreaterThan(50_000), WAIT);
    await Promise.all(writers.map((writer) => writer.stop()));

    for (const partition of partitions) {
      const records = await expectComplete(log, topic, partition, writers[partition]!);
      await vi.waitFor(
        () => expect(first.values(topic, partition)).toHaveLength(records.length),
        WAIT,
      );
      const place = `${topic}/${partition}`;
      const delivered = first.delivered.filter((one) => one.place === place);
      expect(delivered.map(({ offset }) => offset)).toEqual(records.map(({ offset }) => offset));
    }
    expect(reports.filter(({ kind }) => kind === 'stopped')).toEqual([]);
  }, 180_000);
});

describe.skipIf(noBrokers !== null)(`Kafka of one broker${skipped}`, () => {
  it('goes on where it stood when the broker is back, killed or frozen (I1 I5)', async () => {
    stack = await startBrokers(1);
    const topic = newTopic();
    const log = newLog({ singleNode: true, watchdogMs: 4_000 });
    await log.createTopics([{ topic, partitions: 2, timestampType: 'LogAppendTime' }]);
    const ledger = new Ledger();
    await log.consumer(newGroup(), [topic]).start(ledger);
    const writers = [0, 1].map((partition) => startWriter(log, topic, partition));
    await progress(writers, 1_000);
    // Longer than a session: what was assigned may be another member's.
    await stack.kill('kafka-1', 'SIGSTOP');
    await vi.waitFor(() => {
      const errors = reports.map((report) => ('error' in report ? String(report.error) : ''));
      expect(errors.join()).toContain('no beat');
      expect(new Set(ledger.revokedPlaces).size).toBe(2);
    }, WAIT);
    const assigned = ledger.assignedPlaces.length;
    await stack.kill('kafka-1', 'SIGCONT');
    await vi.waitFor(
      () => expect(new Set(ledger.assignedPlaces.slice(assigned)).size).toBe(2),
      WAIT,
    );
    await progress(writers, 1_000);
    await stack.kill('kafka-1', 'SIGKILL');
    await stack.restart('kafka-1');
    await progress(writers, 1_000);
    await Promise.all(writers.map((writer) => writer.stop()));
    for (const [partition, writer] of writers.entries()) {
      const records = await expectComplete(log, topic, partition, writer);
      await vi.waitFor(
        () => expect(ledger.values(topic, partition)).toEqual(records.map(valueText)),
        WAIT,
      );
    }
    expect(reports.filter(({ kind }) => kind === 'stopped')).toEqual([]);
  }, 300_000);
});
