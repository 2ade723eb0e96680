import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Log, LogRecord, NewRecord, TimestampType } from '../../src/log/port.js';
import { consumerContract } from './consumer-contract.js';
import { lettersContract } from './letters-contract.js';

/** One process's handle on a log: handles that one suite makes see the same topics. */
export interface LogHandle {
  log: Log;
  /** Leaves in order. */
  close(): Promise<void>;
  /** As if the process was killed: no farewell to the group. */
  kill(): Promise<void>;
}

export type MakeLog = () => Promise<LogHandle>;

export const text = (value: string): NewRecord => ({ key: null, value: Buffer.from(value) });
export const valueText = (record: LogRecord): string => String(record.value);

/** What every log must do, whatever it is kept in. */
export function logContract(name: string, makeLog: MakeLog): void {
  describe(`${name}: log contract`, () => {
    topicContract(makeLog);
    recordContract(makeLog);
    concurrencyContract(makeLog);
    timeContract(makeLog);
    lettersContract(makeLog);
    consumerContract(makeLog);
  });
}

/** Handles of one test, closed after it. */
export function useLogs(makeLog: MakeLog) {
  let handles: LogHandle[] = [];
  beforeEach(() => {
    handles = [];
  });
  afterEach(async () => {
    await Promise.all(handles.map((handle) => handle.close()));
  });
  return {
    async open(): Promise<LogHandle> {
      const handle = await makeLog();
      handles.push(handle);
      return handle;
    },
    async openTopic(
      partitions: number,
      timestampType: TimestampType = 'LogAppendTime',
    ): Promise<{ log: Log; topic: string; handle: LogHandle }> {
      const handle = await this.open();
      const topic = newTopic();
      await handle.log.createTopics([{ topic, partitions, timestampType }]);
      return { log: handle.log, topic, handle };
    },
  };
}

export const newTopic = (): string => `contract.${randomBytes(6).toString('hex')}`;

/** Everything from `offset` to the end, however many reads that takes. */
export async function readAll(
  log: Log,
  topic: string,
  partition: number,
  offset = 0,
): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (let next = offset; ; ) {
    const batch = await log.read(topic, partition, next, 100_000);
    expect(batch).toMatchObject({ topic, partition, fetchOffset: next });
    records.push(...batch.records);
    const last = batch.records.at(-1);
    if (last === undefined) return records;
    next = last.offset + 1;
    if (next >= batch.highWatermark) return records;
  }
}

function topicContract(makeLog: MakeLog): void {
  const logs = useLogs(makeLog);

  it('makes topics that are missing and leaves those that are there', async () => {
    const { log, topic } = await logs.openTopic(3);
    const other = newTopic();
    await log.append(topic, 2, [text('kept')]);
    await log.createTopics([
      { topic, partitions: 3, timestampType: 'LogAppendTime' },
      { topic: other, partitions: 1, timestampType: 'CreateTime' },
    ]);
    expect(await log.partitions([topic, other, newTopic()])).toEqual(
      new Map([
        [topic, 3],
        [other, 1],
      ]),
    );
    expect((await readAll(log, topic, 2)).map(valueText)).toEqual(['kept']);
  });

  it('makes nothing of an empty list', async () => {
    const { log } = await logs.openTopic(1);
    await expect(log.createTopics([])).resolves.toBeUndefined();
  });

  it('refuses a topic that exists with another number of partitions or other times', async () => {
    const { log, topic } = await logs.openTopic(3);
    await expect(
      log.createTopics([{ topic, partitions: 4, timestampType: 'LogAppendTime' }]),
    ).rejects.toThrow(topic);
    await expect(
      log.createTopics([{ topic, partitions: 3, timestampType: 'CreateTime' }]),
    ).rejects.toThrow(topic);
  });

  it('lets several processes make the same topics at the same moment', async () => {
    const handles = await Promise.all([logs.open(), logs.open(), logs.open()]);
    const specs = [newTopic(), newTopic(), newTopic()].map((topic) => ({
      topic,
      partitions: 2,
      timestampType: 'LogAppendTime' as const,
    }));
    await Promise.all(handles.map(({ log }) => log.createTopics(specs)));
    const found = await handles[0]!.log.partitions(specs.map(({ topic }) => topic));
    expect([...found.values()]).toEqual([2, 2, 2]);
  });

  it('removes topics with their records; made anew, they begin at 0', async () => {
    const { log, topic } = await logs.openTopic(2);
    const kept = newTopic();
    await log.createTopics([{ topic: kept, partitions: 1, timestampType: 'LogAppendTime' }]);
    await log.append(topic, 1, ['a', 'b'].map(text));
    await log.append(kept, 0, [text('kept')]);
    await log.read(topic, 1, 0, 1000);
    await log.deleteTopics([topic, newTopic()]);
    expect(await log.partitions([topic, kept])).toEqual(new Map([[kept, 1]]));
    await log.createTopics([{ topic, partitions: 2, timestampType: 'LogAppendTime' }]);
    expect(await log.bounds(topic, 1)).toEqual({ start: 0, end: 0 });
    expect(await readAll(log, topic, 1)).toEqual([]);
    expect(await log.append(topic, 1, [text('new')])).toBe(0);
    expect((await readAll(log, topic, 1)).map(valueText)).toEqual(['new']);
    expect((await readAll(log, kept, 0)).map(valueText)).toEqual(['kept']);
  });

  it('says where a partition begins and ends', async () => {
    const { log, topic } = await logs.openTopic(2);
    expect(await log.bounds(topic, 1)).toEqual({ start: 0, end: 0 });
    const first = await log.append(topic, 1, [text('a'), text('b')]);
    expect(first).toBe(0);
    expect(await log.bounds(topic, 1)).toEqual({ start: 0, end: 2 });
    expect(await log.bounds(topic, 0)).toEqual({ start: 0, end: 0 });
  });
}

function recordContract(makeLog: MakeLog): void {
  const logs = useLogs(makeLog);

  it('answers an append with the offset of its first record (I1)', async () => {
    const { log, topic } = await logs.openTopic(1);
    await log.append(topic, 0, [text('a'), text('b')]);
    const offset = await log.append(topic, 0, [text('c'), text('d')]);
    const records = await readAll(log, topic, 0, offset);
    expect(records[0]!.offset).toBe(offset);
    expect(records.map(valueText)).toEqual(['c', 'd']);
  });

  it('keeps keys, values and headers byte for byte, null apart from empty', async () => {
    const { log, topic } = await logs.openTopic(1);
    const allBytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const written: NewRecord[] = [
      { key: null, value: null },
      { key: Buffer.alloc(0), value: Buffer.alloc(0) },
      {
        key: allBytes,
        value: allBytes,
        headers: { crc32c: allBytes, 'ü "\\ name': Buffer.alloc(0) },
      },
      { key: Buffer.from('\\x00,{}"NULL'), value: Buffer.from('NULL') },
    ];
    await log.append(topic, 0, written);
    const records = await readAll(log, topic, 0);
    expect(records.map(({ key, value, headers }) => ({ key, value, headers }))).toEqual(
      written.map((record) => ({ headers: {}, ...record })),
    );
  });

  it('holds a value of 1 MB, and reads it however small the limit is', async () => {
    const { log, topic } = await logs.openTopic(1);
    const value = randomBytes(1_000_000);
    await log.append(topic, 0, [text('before')]);
    const offset = await log.append(topic, 0, [{ key: null, value }]);
    const batch = await log.read(topic, 0, offset, 1);
    expect(batch.records[0]!.value!.equals(value)).toBe(true);
    expect(batch.highWatermark).toBe(offset + 1);
  });

  it('reads about as many bytes as asked for, and never skips a record (I11)', async () => {
    const { log, topic } = await logs.openTopic(1);
    const values = Array.from({ length: 200 }, (_, n) => text(`${n}`.padStart(1000, '.')));
    // In appends of their own: Kafka hands over whole appends.
    for (let at = 0; at < values.length; at += 5) {
      await log.append(topic, 0, values.slice(at, at + 5));
    }
    const batch = await log.read(topic, 0, 7, 20_000);
    expect(batch.records[0]!.offset).toBe(7);
    expect(batch.records.length).toBeGreaterThan(1);
    expect(batch.records.length).toBeLessThan(40);
    expect(batch.highWatermark).toBe(200);
    const rest = await readAll(log, topic, 0, 7);
    expect(rest.map((record) => Number(valueText(record).replaceAll('.', '')))).toEqual(
      Array.from({ length: 193 }, (_, n) => n + 7),
    );
  });

  it('reads nothing at the end', async () => {
    const { log, topic } = await logs.openTopic(1);
    expect((await log.read(topic, 0, 0, 1000)).records).toEqual([]);
    await log.append(topic, 0, [text('a')]);
    expect(await log.read(topic, 0, 1, 1000)).toEqual({
      topic,
      partition: 0,
      fetchOffset: 1,
      records: [],
      highWatermark: 1,
    });
  });
}

function concurrencyContract(makeLog: MakeLog): void {
  const logs = useLogs(makeLog);

  it('lets no reader pass a record that a concurrent writer commits later (I1)', async () => {
    const { log, topic } = await logs.openTopic(1);
    const writers = await Promise.all(Array.from({ length: 4 }, () => logs.open()));
    const acknowledged = new Map<number, string>();
    let isWriting = true;
    const write = async (writer: LogHandle, who: number): Promise<void> => {
      for (let turn = 0; turn < 40; turn += 1) {
        const records = Array.from({ length: 1 + ((turn + who) % 5) }, (_, n) =>
          text(`${who}:${turn}:${n}`),
        );
        const offset = await writer.log.append(topic, 0, records);
        acknowledged.set(offset, valueText({ ...records[0]!, offset } as LogRecord));
      }
    };
    const read: LogRecord[] = [];
    const tail = async (): Promise<void> => {
      for (;;) {
        const wasWriting = isWriting;
        read.push(...(await readAll(log, topic, 0, (read.at(-1)?.offset ?? -1) + 1)));
        if (!wasWriting) return;
      }
    };
    const reading = tail();
    await Promise.all(writers.map(write));
    isWriting = false;
    await reading;

    expect(read.map(({ offset }) => offset)).toEqual(read.map((_, place) => place));
    expect(read.map(valueText).sort()).toEqual(
      (await readAll(log, topic, 0)).map(valueText).sort(),
    );
    for (const [offset, value] of acknowledged) expect(valueText(read[offset]!)).toBe(value);
    for (let who = 0; who < writers.length; who += 1) {
      const turns = read
        .map((record) => valueText(record).split(':').map(Number))
        .filter(([writer]) => writer === who)
        .map(([, turn, n]) => turn! * 10 + n!);
      expect(turns).toEqual([...turns].sort((a, b) => a - b));
    }
  });
}

function timeContract(makeLog: MakeLog): void {
  const logs = useLogs(makeLog);

  it('gives records the time of their append, whatever time they bring', async () => {
    const { log, topic } = await logs.openTopic(1, 'LogAppendTime');
    const before = Date.now();
    await log.append(topic, 0, [{ ...text('a'), timestampMs: 5 }]);
    const [record] = await readAll(log, topic, 0);
    expect(record!.timestampMs).toBeGreaterThanOrEqual(before - 1000);
    expect(record!.timestampMs).toBeLessThanOrEqual(Date.now() + 1000);
  });

  it('keeps the times of the records in a CreateTime topic, also those that run back', async () => {
    const { log, topic } = await logs.openTopic(1, 'CreateTime');
    const times = [1_700_000_000_000, 1_600_000_000_123, 1_700_000_000_001];
    await log.append(
      topic,
      0,
      times.map((timestampMs) => ({ ...text('a'), timestampMs })),
    );
    expect((await readAll(log, topic, 0)).map((record) => record.timestampMs)).toEqual(times);
  });

  it('finds the first offset at or after a time', async () => {
    const { log, topic } = await logs.openTopic(2, 'CreateTime');
    const t0 = 1_700_000_000_000;
    for (let n = 0; n < 10; n += 1) {
      await log.append(topic, 1, [{ ...text(`${n}`), timestampMs: t0 + n * 1000 }]);
    }
    expect(await log.offsetForTime(topic, 1, t0 - 1)).toBe(0);
    expect(await log.offsetForTime(topic, 1, t0 + 3000)).toBe(3);
    expect(await log.offsetForTime(topic, 1, t0 + 3001)).toBe(4);
    expect(await log.offsetForTime(topic, 1, t0 + 9001)).toBe(10);
    expect(await log.offsetForTime(topic, 0, t0)).toBe(0);
  });

  it('finds offsets by the time of the append', async () => {
    const { log, topic } = await logs.openTopic(1);
    for (let n = 0; n < 5; n += 1) {
      await log.append(topic, 0, [text(`${n}`)]);
      const appended = Date.now();
      await vi.waitUntil(() => Date.now() > appended + 1, 20_000);
    }
    const records = await readAll(log, topic, 0);
    for (const { timestampMs } of records) {
      const first = records.find((record) => record.timestampMs >= timestampMs)!;
      expect(await log.offsetForTime(topic, 0, timestampMs)).toBe(first.offset);
    }
    expect(await log.offsetForTime(topic, 0, records.at(-1)!.timestampMs + 1)).toBe(5);
  });
}
