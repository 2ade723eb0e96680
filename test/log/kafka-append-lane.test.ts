import type { Message, RecordMetadata } from 'kafkajs';
import { expect, it, vi } from 'vitest';
import { AppendLane, type LaneProducer } from '../../src/log/kafka-append-lane.js';
import type { NewRecord } from '../../src/log/port.js';

const place = { topic: 'orders', partition: 3 };
const record = (text: string): NewRecord => ({ key: null, value: Buffer.from(text) });
const ack = (offset: number, other: Partial<RecordMetadata> = {}): RecordMetadata[] => [
  { topicName: 'orders', partition: 3, errorCode: 0, baseOffset: `${offset}`, ...other },
];
const refusal = (type: string): Error => Object.assign(new Error(type), { type });

type Answer = RecordMetadata[] | Error | Promise<RecordMetadata[]>;

/** Producers that answer by a script, one list of answers for each of them. */
function scripted(...producers: Answer[][]) {
  const opened: { sent: Message[][]; isEnded: boolean }[] = [];
  const open = async (): Promise<LaneProducer> => {
    const answers = [...(producers[opened.length] ?? [])];
    const producer = { sent: [] as Message[][], isEnded: false };
    opened.push(producer);
    return {
      async send(topic, messages) {
        expect(topic).toBe('orders');
        expect(producer.isEnded).toBe(false);
        producer.sent.push(messages);
        const answer = answers.shift();
        if (answer === undefined) throw new Error('the script has no more answers');
        if (answer instanceof Error) throw answer;
        return answer;
      },
      end() {
        producer.isEnded = true;
      },
    };
  };
  return { opened, open };
}

const laneOf = (
  open: () => Promise<LaneProducer>,
  options: { recordsMax?: number; deadlineMs?: number } = {},
): AppendLane => new AppendLane({ place, open, deadlineMs: 60_000, ...options });

/** Lanes of tests in which an answer does not come. */
const DEADLINE = { deadlineMs: 20 };

/** A promise that the test resolves. */
function promised<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve = (_: T): void => {};
  const promise = new Promise<T>((resolved) => {
    resolve = resolved;
  });
  return { promise, resolve };
}

it('answers with the offset that the broker gave, through one producer', async () => {
  const { opened, open } = scripted([ack(7), ack(9), ack(100)]);
  const lane = laneOf(open);
  expect(await lane.append([record('a'), record('b')])).toBe(7);
  expect(await lane.append([record('c')])).toBe(9);
  expect(await lane.append([record('d')])).toBe(100); // Other writers' records lie between.
  expect(opened).toHaveLength(1);
  expect(opened[0]!.sent[0]!.map(({ partition }) => partition)).toEqual([3, 3]);
});

it.each([
  ['nothing', []],
  ['another partition', ack(8, { partition: 2 })],
  ['another topic', ack(8, { topicName: 'decisions' })],
  ['two partitions', [...ack(8), ...ack(8, { partition: 2 })]],
  ['an error', ack(8, { errorCode: 6 })],
  ['no offset', ack(8, { baseOffset: '-1' })],
])('takes a reply that names %s for no acknowledgement (I1)', async (_, reply) => {
  const { opened, open } = scripted([ack(7), reply], [ack(8)]);
  const lane = laneOf(open);
  await lane.append([record('a')]);
  await expect(lane.append([record('b')])).rejects.toMatchObject({ code: 'log_unavailable' });
  expect(opened[0]!.isEnded).toBe(true);
  expect(await lane.append([record('b')])).toBe(8);
  expect(opened).toHaveLength(2);
});

it('takes the offset of an earlier append for no acknowledgement (I1)', async () => {
  // The broker took the second one for a repeat of the first.
  const { opened, open } = scripted([ack(7), ack(8), ack(8)], [ack(10)]);
  const lane = laneOf(open);
  await lane.append([record('a')]);
  await lane.append([record('b'), record('c')]);
  await expect(lane.append([record('d')])).rejects.toMatchObject({ code: 'log_unavailable' });
  expect(opened[0]!.isEnded).toBe(true);
  expect(await lane.append([record('d')])).toBe(10);
});

it('sends nothing more through a producer whose send rejected (I1)', async () => {
  const { opened, open } = scripted([ack(7), new Error('connection lost')], [ack(8), ack(9)]);
  const lane = laneOf(open);
  await lane.append([record('a')]);
  await expect(lane.append([record('b')])).rejects.toMatchObject({ code: 'log_unavailable' });
  expect(opened[0]!.isEnded).toBe(true);
  await lane.append([record('b')]);
  await lane.append([record('c')]);
  expect(opened.map(({ sent }) => sent.flat().map(({ value }) => String(value)))).toEqual([
    ['a', 'b'],
    ['b', 'c'],
  ]);
});

it('gives up a send that is not answered, and hears no late answer (I1)', async () => {
  const late = promised<RecordMetadata[]>();
  const { opened, open } = scripted([late.promise], [ack(4), ack(5)]);
  const lane = laneOf(open, DEADLINE);
  await expect(lane.append([record('a')])).rejects.toMatchObject({ code: 'log_unavailable' });
  expect(opened[0]!.isEnded).toBe(true);
  expect(await lane.append([record('a')])).toBe(4);
  late.resolve(ack(1000));
  expect(await lane.append([record('b')])).toBe(5);
});

it('ends a producer that is connected only after it was given up', async () => {
  const { opened, open } = scripted([ack(0)], [ack(1)]);
  const connected = promised<void>();
  let isFirst = true;
  const lane = laneOf(async () => {
    if (isFirst) {
      isFirst = false;
      await connected.promise;
    }
    return open();
  }, DEADLINE);
  await expect(lane.append([record('a')])).rejects.toMatchObject({ code: 'log_unavailable' });
  connected.resolve();
  await vi.waitFor(() => expect(opened[0]?.isEnded).toBe(true), 20_000);
  expect(opened[0]!.sent).toEqual([]);
  expect(await lane.append([record('a')])).toBe(1);
});

it('accepts a log that begins anew, after it said so once', async () => {
  const { open } = scripted([ack(50), new Error('gone')], [ack(0)], [ack(1)]);
  const lane = laneOf(open);
  await lane.append([record('a')]);
  await expect(lane.append([record('b')])).rejects.toThrow('gone');
  await expect(lane.append([record('b')])).rejects.toThrow('not above 50');
  expect(await lane.append([record('b')])).toBe(1);
});

it('makes a new producer long before the numbers of one run out', async () => {
  const { opened, open } = scripted([ack(0), ack(2)], [ack(4)]);
  const lane = laneOf(open, { recordsMax: 4 });
  for (const text of ['a', 'b', 'c']) await lane.append([record(text), record(text)]);
  expect(opened.map(({ sent, isEnded }) => [sent.length, isEnded])).toEqual([
    [2, true],
    [1, false],
  ]);
});

it('sends calls that overlap one after another', async () => {
  const { opened, open } = scripted([ack(0), ack(1), ack(2)]);
  const lane = laneOf(open);
  const offsets = await Promise.all(['a', 'b', 'c'].map((text) => lane.append([record(text)])));
  expect(offsets).toEqual([0, 1, 2]);
  expect(opened).toHaveLength(1);
});

it('says that records are too large instead of having them sent for ever', async () => {
  const wrapped = new Error('gave up', { cause: refusal('MESSAGE_TOO_LARGE') });
  const { open } = scripted([wrapped], [ack(0)]);
  const lane = laneOf(open);
  await expect(lane.append([record('a')])).rejects.toMatchObject({ code: 'record_too_large' });
  expect(await lane.append([record('b')])).toBe(0);
});

it('rests a producer that is not used, but none that waits for an answer', async () => {
  const answer = promised<RecordMetadata[]>();
  const { opened, open } = scripted([ack(0), answer.promise], [ack(2)]);
  const lane = laneOf(open);
  await lane.append([record('a')]);
  lane.rest(60_000);
  expect(opened[0]!.isEnded).toBe(false);
  const sending = lane.append([record('b')]);
  await vi.waitFor(() => expect(opened[0]!.sent).toHaveLength(2), 20_000);
  lane.rest(0);
  expect(opened[0]!.isEnded).toBe(false);
  answer.resolve(ack(1));
  await sending;
  lane.rest(-1);
  expect(opened[0]!.isEnded).toBe(true);
  expect(await lane.append([record('c')])).toBe(2);
});

it('accepts nothing once it is closed', async () => {
  const { opened, open } = scripted([ack(0)], [ack(1)]);
  const lane = laneOf(open);
  await lane.append([record('a')]);
  lane.close();
  expect(opened[0]!.isEnded).toBe(true);
  await expect(lane.append([record('b')])).rejects.toMatchObject({ code: 'log_unavailable' });
  expect(opened.flatMap(({ sent }) => sent)).toHaveLength(1);
});

it('passes keys, headers and times on, and the time 0', async () => {
  const { opened, open } = scripted([ack(0)]);
  const headers = { crc32c: Buffer.from([1, 2, 3, 4]) };
  const key = Buffer.from('k');
  await laneOf(open).append([{ key, value: null, headers, timestampMs: 0 }]);
  expect(opened[0]!.sent[0]).toEqual([{ partition: 3, key, value: null, headers, timestamp: '0' }]);
});
