import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createDeadLetters,
  discardRecord,
  parseLetter,
  valueHash,
} from '../../src/log/dead-letters.js';
import type { LogRecord } from '../../src/log/port.js';
import { UncommittedLetters } from '../../src/log/uncommitted-letters.js';
import { MemoryLog } from './memory-log.js';

const SOURCE = { topic: 'outcomes', partition: 0 };
const DLQ = 'dlq';

const recordAt = (offset: number, text = `bytes of ${offset}`): LogRecord => ({
  offset,
  timestampMs: 0,
  key: null,
  value: Buffer.from(text),
  headers: {},
});
const from0 = (count: number): LogRecord[] => Array.from({ length: count }, (_, n) => recordAt(n));

/** Parks events as a projector does that never comes to its commit. */
async function park(
  log: MemoryLog,
  places: readonly [offset: number, index: number][],
  { source = SOURCE, version = 1, code = 'rule_broken' as const } = {},
): Promise<void> {
  const letters = places.map(([offset, index]) => ({ offset, index, code, reason: 'it says why' }));
  const records = places.map(([offset]) => recordAt(offset));
  await createDeadLetters(log, DLQ, version)(source, records, letters);
}

const looking = (log: MemoryLog, more: { from?: number; lettersMax?: number } = {}) =>
  new UncommittedLetters({
    log,
    deadLetterTopic: DLQ,
    source: SOURCE,
    projectionVersion: 1,
    from: 0,
    rescanAfter: 3,
    ...more,
  });

const placesOf = (found: Awaited<ReturnType<UncommittedLetters['of']>>): string[] =>
  [...found.letters].flatMap(([offset, letters]) =>
    [...letters.keys()].map((i) => `${offset}/${i}`),
  );

describe('letters without a commit', () => {
  it('I9 are found with code and reason, each place once', async () => {
    const log = new MemoryLog();
    await park(log, [
      [2, 0],
      [2, 3],
    ]);
    await park(log, [
      [2, 0],
      [2, 3],
      [4, -1],
    ]);
    const found = await looking(log).of(from0(6));
    expect(placesOf(found)).toEqual(['2/0', '2/3', '4/-1']);
    expect(found.letters.get(2)!.get(3)).toEqual({ code: 'rule_broken', reason: 'it says why' });
    expect(found.through).toBe(6);
  });

  it('are none of other partitions, other topics, other versions, of what was discarded or is foreign', async () => {
    const log = new MemoryLog();
    await park(log, [[1, 0]], { source: { ...SOURCE, topic: 'summaries' } });
    await park(log, [[1, 0]], { version: 2 });
    await log.append(DLQ, 0, [
      discardRecord({ ...SOURCE, offset: 1, index: 0 }, 1, 0),
      { key: null, value: Buffer.from('x') },
      {
        key: null,
        value: null,
        headers: { topic: Buffer.from('outcomes'), code: Buffer.from('?') },
      },
    ]);
    expect(placesOf(await looking(log).of(from0(3)))).toEqual([]);
  });

  it('I2 speak for the bytes that they hold: a topic made anew gives the place to another record', async () => {
    const log = new MemoryLog();
    await park(log, [[1, -1]]);
    const anew = [recordAt(0), recordAt(1, 'other bytes')];
    expect(placesOf(await looking(log).of(anew))).toEqual([]);
  });

  it('are read once, from where the last owner had come to', async () => {
    const log = new MemoryLog();
    await park(log, [
      [0, 0],
      [1, 0],
      [2, 0],
    ]);
    const first = looking(log);
    await first.of(from0(2));
    // Place 2 waits for its commit: the next owner begins with its letter.
    expect(first.from(2)).toBe(2);
    expect(placesOf(await looking(log, { from: 2 }).of([recordAt(2)]))).toEqual(['2/0']);
    expect(first.from(3)).toBe(3);
    log.reads.length = 0;
    await first.of([recordAt(3)]);
    await first.of([recordAt(4)]);
    expect(log.reads).toEqual([]);
  });

  it('I11 move the place from which they are read while one owner keeps the partition', async () => {
    const log = new MemoryLog();
    const letters = looking(log);
    for (let offset = 0; offset < 20; offset++) {
      await letters.of([recordAt(offset)]);
      await park(log, [[offset, 0]]);
      letters.noteAppended(1);
      expect(letters.from(offset + 1)).toBeGreaterThanOrEqual(offset - 3);
    }
  });

  it('begin anew where the dead-letter topic does', async () => {
    const log = new MemoryLog();
    await park(log, [[0, 0]]);
    expect(placesOf(await looking(log, { from: 900 }).of(from0(2)))).toEqual(['0/0']);
  });

  it('I9 I11 are all found, however few are held and however they came to be', async () => {
    const place = fc.tuple(fc.nat(30), fc.integer({ min: -1, max: 2 }));
    const attempts = fc.array(fc.array(place, { minLength: 1, maxLength: 6 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(attempts, fc.integer({ min: 1, max: 5 }), async (attempts, lettersMax) => {
        const log = new MemoryLog();
        log.recordsMax = 4;
        for (const attempt of attempts) await park(log, attempt);
        const expected = new Set(attempts.flat().map(([offset, index]) => `${offset}/${index}`));
        const found: string[] = [];
        let from = 0;
        let letters = looking(log, { lettersMax });
        for (let next = 0; next <= 30; ) {
          const batch = from0(31).slice(next, next + 7);
          const part = await letters.of(batch);
          expect(part.through).toBeGreaterThan(0);
          found.push(
            ...placesOf(part).filter((text) => Number.parseInt(text, 10) < next + part.through),
          );
          next += part.through;
          const before = from;
          from = letters.from(next);
          expect(from).toBeGreaterThanOrEqual(before);
          // A crash at every other commit.
          if (next % 2 === 0) letters = looking(log, { lettersMax, from });
        }
        expect(found.sort()).toEqual([...expected].sort());
      }),
    );
  });
});

describe('parseLetter', () => {
  it('reads what was parked and what was discarded, and nothing else', async () => {
    const log = new MemoryLog();
    await park(log, [[7, -1]]);
    const place = { ...SOURCE, offset: 7, index: -1 };
    await log.append(DLQ, 0, [discardRecord(place, 1, 0)]);
    const [letter, discard] = log.records(DLQ, 0).map(parseLetter);
    expect(letter).toEqual({
      ...place,
      code: 'rule_broken',
      reason: 'it says why',
      projectionVersion: 1,
      hash: valueHash(Buffer.from('bytes of 7')),
    });
    expect(discard).toEqual({ ...place, code: 'discarded' });
    expect(parseLetter({ ...recordAt(0), headers: { offset: Buffer.from('1e3') } })).toBeNull();
  });
});
