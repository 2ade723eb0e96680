import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assembleBatch, encodeOutcomeBody } from '../../src/event/encode.js';
import type { Batch } from '../../src/publish/batch.js';
import { Condition } from '../../src/publish/condition.js';
import type { PartitionSpool } from '../../src/publish/partition-spool.js';
import { openSpool } from '../../src/publish/spool.js';
import { emptyStats } from '../../src/publish/stats.js';
import { outcome } from './outcomes.js';
import { lines, TOPIC, temporaryFolder } from './publishing.js';

function batch(sequence: number, outcomes = 2): Batch {
  const bodies = Array.from({ length: outcomes }, (_, at) =>
    encodeOutcomeBody(outcome(sequence * 100 + at)),
  );
  const { value, headers } = assembleBatch(Buffer.alloc(16, 7), sequence, bodies);
  return { value, headers, outcomes, assembledAtMs: 1_800_000_000_123, isRecovered: false };
}

function opened(dir: string, bytesMax = 1 << 30) {
  const stats = emptyStats();
  const logger = lines();
  const full = new Condition(
    () => logger.warn({}, 'full'),
    () => logger.info({}, 'not full'),
  );
  const { left, partition, release } = openSpool({
    dir,
    topic: TOPIC,
    bytesMax,
    full,
    stats,
    logger,
  });
  const partitions = new Map<number, PartitionSpool>();
  const spool = {
    left,
    partition: (number: number) => {
      const opened = partitions.get(number) ?? partition(number);
      partitions.set(number, opened);
      return opened;
    },
    close: async () => {
      await Promise.all([...partitions.values()].map((it) => it.close()));
      release();
    },
  };
  return { spool, stats, logger };
}

async function readAll(spool: PartitionSpool): Promise<Batch[]> {
  const read: Batch[] = [];
  for (;;) {
    const head = await spool.head();
    if (head === null) return read;
    read.push(head);
    spool.remove(head);
  }
}

const segmentsIn = (dir: string) =>
  readdirSync(join(dir, TOPIC)).filter((name) => name.endsWith('.spool'));
const recovered = (batches: Batch[]) => batches.map((it) => ({ ...it, isRecovered: true }));

/** A folder in which a process left these batches of partition 0. */
async function leftBehind(dir: string, batches: Batch[]): Promise<string> {
  const { spool } = opened(dir);
  expect(await spool.partition(0).write(batches)).toBe(batches.length);
  await spool.close();
  const [name] = segmentsIn(dir) as [string];
  return join(dir, TOPIC, name);
}

describe('a spool', () => {
  it('gives back what was written, byte for byte and in order, to this process and the next', async () => {
    const dir = temporaryFolder();
    const batches = [1, 2, 3, 4].map((sequence) => batch(sequence));
    const first = opened(dir);
    await first.spool.partition(2).write(batches.slice(0, 2));
    await first.spool.partition(0).write(batches.slice(2, 3));
    expect(await first.spool.partition(2).head()).toEqual(batches[0]);
    await first.spool.partition(2).write(batches.slice(3));
    await first.spool.close();

    const { spool } = opened(dir);
    expect(spool.left).toEqual([0, 2]);
    expect(await readAll(spool.partition(2))).toEqual(
      recovered([batches[0]!, batches[1]!, batches[3]!]),
    );
    expect(await readAll(spool.partition(0))).toEqual(recovered([batches[2]!]));
    await spool.close();
  });

  it('of many segments is sent oldest first, and a segment is removed once it is sent', async () => {
    const dir = temporaryFolder();
    const { spool, stats } = opened(dir);
    const partition = spool.partition(0);
    const large = Array.from({ length: 40 }, (_, at) => batch(at + 1, 600));
    for (let at = 0; at < large.length; ) at += await partition.write(large.slice(at));
    const segments = segmentsIn(dir);
    expect(segments.length).toBeGreaterThan(1);
    const onDisk = () =>
      segmentsIn(dir).reduce((sum, name) => sum + statSync(join(dir, TOPIC, name)).size, 0);
    expect(stats.spoolBytes).toBe(onDisk());
    await spool.close();

    const next = opened(dir);
    expect(next.stats.spoolBytes).toBe(onDisk());
    const read = await readAll(next.spool.partition(0));
    const hex = (batches: Batch[]) => batches.map((it) => it.value.toString('hex'));
    expect(hex(read)).toEqual(hex(large));
    expect(segmentsIn(dir)).toEqual([]);
    expect(next.stats.spoolBytes).toBe(0);
    await next.spool.close();
  });

  it('holds no more than its bound, over all partitions at once (I11)', async () => {
    const dir = temporaryFolder();
    const { spool, stats, logger } = opened(dir, 20_000);
    const batches = Array.from({ length: 30 }, (_, at) => batch(at + 1, 8));
    const written = await Promise.all([0, 1, 2].map((it) => spool.partition(it).write(batches)));
    expect(stats.spoolBytes).toBeLessThanOrEqual(20_000);
    expect(stats.spoolBytes).toBeGreaterThan(15_000);
    expect(await spool.partition(1).write(batches)).toBe(0);
    const read = await Promise.all([0, 1, 2].map((it) => readAll(spool.partition(it))));
    expect(read.map((it) => it.length)).toEqual(written);
    expect(logger.lines).toEqual(['warn: full', 'info: not full']);
    expect(stats.spoolBytes).toBe(0);
    await spool.close();
  });

  it('cut at any byte gives the whole batches before the cut, and cuts the rest off (I1)', async () => {
    const batches = [1, 2, 3].map((sequence) => batch(sequence, 1));
    const dir = temporaryFolder();
    const path = await leftBehind(dir, batches);
    const whole = readFileSync(path);
    const ends = frameEnds(whole);
    expect(ends).toHaveLength(batches.length + 1);
    for (let bytes = 0; bytes <= whole.length; bytes += 1) {
      writeFileSync(path, whole.subarray(0, bytes));
      const { spool, stats } = opened(dir);
      const before = ends.filter((end) => end <= bytes);
      const kept = Math.max(0, before.length - 1);
      expect(await readAll(spool.partition(0))).toEqual(recovered(batches.slice(0, kept)));
      expect(stats.spoolTornTails).toBe(before.at(-1) === bytes ? 0 : 1);
      expect(stats.spoolBytes).toBe(0);
      expect(segmentsIn(dir)).toEqual([]);
      await spool.close();
    }
  });

  it('with a flipped bit loses that batch alone, and says how many bytes', async () => {
    const batches = [1, 2, 3].map((sequence) => batch(sequence, 1));
    const dir = temporaryFolder();
    const path = await leftBehind(dir, batches);
    const whole = readFileSync(path);
    const [, firstEnd, secondEnd] = frameEnds(whole) as [number, number, number];
    for (let at = firstEnd + 4; at < secondEnd; at += 1) {
      const flipped = Buffer.from(whole);
      flipped[at]! ^= 1 << (at % 8);
      writeFileSync(path, flipped);
      const { spool, stats, logger } = opened(dir);
      expect(await readAll(spool.partition(0))).toEqual(recovered([batches[0]!, batches[2]!]));
      expect(stats.spoolDamagedBytes).toBe(secondEnd - firstEnd);
      expect(logger.lines).toHaveLength(1);
      await spool.close();
    }
  });

  it('whose segment somebody removed goes on behind it', async () => {
    const dir = temporaryFolder();
    const path = await leftBehind(dir, [batch(1)]);
    const { spool, stats } = opened(dir);
    await spool.partition(0).write([batch(2)]);
    rmSync(path);
    expect(await readAll(spool.partition(0))).toEqual([batch(2)]);
    expect(stats.spoolDamagedBytes).toBeGreaterThan(0);
    await spool.close();
  });

  it('of another version is refused, not removed', async () => {
    const dir = temporaryFolder();
    const path = await leftBehind(dir, [batch(1)]);
    const other = readFileSync(path);
    other[7] = 2;
    writeFileSync(path, other);
    expect(() => opened(dir)).toThrow(/not a spool segment of this version/);
    expect(readFileSync(path)).toEqual(other);
    // The refusal gave the folder back.
    rmSync(path);
    await opened(dir).spool.close();
  });
});

describe('the folder of a spool', () => {
  it('has one owner at a time', async () => {
    const dir = temporaryFolder();
    const first = opened(dir).spool;
    expect(() => opened(dir)).toThrow(
      expect.objectContaining({ code: 'already_running', field: 'AIROUTER_SPOOL_DIR' }),
    );
    await first.close();
    await opened(dir).spool.close();
  });

  it('is refused while its owner lives, and taken over from one that was killed', async () => {
    const dir = temporaryFolder();
    const folder = join(dir, TOPIC);
    mkdirSync(folder, { recursive: true });
    // Process 1 lives; its start is not that of the file: the pid was given to another.
    const stat = readFileSync('/proc/1/stat', 'utf8');
    const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    writeFileSync(join(folder, `owner-1-${start}`), '');
    expect(() => opened(dir)).toThrow(expect.objectContaining({ code: 'already_running' }));
    rmSync(join(folder, `owner-1-${start}`));
    for (const gone of [
      `owner-1-${Number(start) + 1}`,
      'owner-4194304-5',
      `owner-${process.pid}-1`,
    ]) {
      writeFileSync(join(folder, gone), '');
      await opened(dir).spool.close();
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  it('that cannot be used is a clear error', () => {
    const dir = temporaryFolder();
    writeFileSync(join(dir, TOPIC), 'a file');
    expect(() => opened(dir)).toThrow(
      expect.objectContaining({ code: 'invalid_setting', field: 'AIROUTER_SPOOL_DIR' }),
    );
  });
});

/** Where the header and each frame of a segment end. */
function frameEnds(segment: Buffer): number[] {
  const ends = [8];
  for (let at = 8; at < segment.length; ) {
    at += 8 + segment.readUInt32BE(at);
    ends.push(at);
  }
  return ends;
}
