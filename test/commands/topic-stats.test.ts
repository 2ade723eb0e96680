import { expect, it } from 'vitest';
import type { CommandContext } from '../../src/commands/context.js';
import { stats } from '../../src/commands/topic-stats.js';
import { MemoryLog } from '../log/memory-log.js';

async function statsOf(json: boolean) {
  const log = new MemoryLog();
  const at = (timestampMs: number) => ({ key: null, value: Buffer.alloc(9), timestampMs });
  await log.append('t', 0, [at(1000), at(3000), at(2000)]);
  const lines: string[] = [];
  let answer: unknown;
  const context = {
    json,
    print: (line: string) => lines.push(line),
    answer: (value: unknown) => {
      answer = value;
    },
  } as unknown as CommandContext;
  await stats(context, log, [
    { topic: 't', partition: 0 },
    { topic: 't', partition: 1 },
  ]);
  return { answer, lines, reads: log.reads.length };
}

it('counts what each partition holds, and tells its first and last time', async () => {
  const first = { start: 0, end: 3, records: 3, first_timestamp_ms: 1000, last_timestamp_ms: 2000 };
  const empty = {
    ...{ start: 0, end: 0, records: 0 },
    ...{ first_timestamp_ms: null, last_timestamp_ms: null },
  };
  const { answer, lines, reads } = await statsOf(true);
  expect(answer).toEqual({
    records: 3,
    partitions: [
      { topic: 't', partition: 0, ...first },
      { topic: 't', partition: 1, ...empty },
    ],
  });
  expect(lines).toEqual([]);
  // However many records there are.
  expect(reads).toBe(2);
});

it('says the same to people', async () => {
  expect((await statsOf(false)).lines).toEqual([
    'partition\tstart\tend\trecords\tfirst\tlast',
    't/0\t0\t3\t3\t1970-01-01T00:00:01.000Z\t1970-01-01T00:00:02.000Z',
    't/1\t0\t0\t0\t-\t-',
    'records: 3',
  ]);
});
