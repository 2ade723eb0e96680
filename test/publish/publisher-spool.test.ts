import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Publisher } from '../../src/publish/publisher.js';
import { counted, outcome, readBatch } from './outcomes.js';
import { HandClock, lines, publisher, TOPIC, temporaryFolder, until } from './publishing.js';
import { ScriptedLog } from './scripted-log.js';

function record(publishing: Publisher, from: number, to: number): void {
  for (let number = from; number < to; number += 1) {
    expect(publishing.record(outcome(number))).toBe('accepted');
  }
}

const numbersIn = (log: ScriptedLog) =>
  [...log.partitions.values()].flatMap((records) => counted(records).flatMap((it) => it.numbers));
const upTo = (end: number) => Array.from({ length: end }, (_, at) => at);

const ownersOf = (spoolDir: string): string[] =>
  readdirSync(join(spoolDir, TOPIC)).filter((name) => name.startsWith('owner-'));

/** From now on no write becomes durable until the disk goes on. */
async function stalledDisk(folder: string): Promise<{ goOn(): void }> {
  const file = await open(folder, 'r');
  const { datasync } = file;
  await file.close();
  let goOn = (): void => {};
  const going = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const stalled = vi
    .spyOn(Object.getPrototypeOf(file) as FileHandle, 'datasync')
    .mockImplementation(async function (this: FileHandle) {
      await going;
      return datasync.call(this);
    });
  onTestFinished(() => stalled.mockRestore());
  return { goOn };
}

describe('a publisher with a spool', () => {
  it('keeps what it accepted over a restart, in order, under the id that made it (I1)', async () => {
    const spoolDir = temporaryFolder();
    const log = new ScriptedLog();
    log.otherwise = 'reject';
    const first = publisher(log.connect(), { spoolDir, batchBytesMax: 512 });
    record(first, 0, 50);
    await first.flush();
    expect(first.stats()).toMatchObject({ spooled: 50, inSpool: 50, queued: 0, queuedBytes: 0 });
    record(first, 50, 60);
    await first.close({ deadlineMs: 20_000 });
    expect(first.stats()).toMatchObject({ inSpool: 60, acknowledged: 0, dropped: { closed: 0 } });

    log.otherwise = 'ack';
    const second = publisher(log.connect(), { spoolDir, publisherId: () => Buffer.alloc(16, 8) });
    record(second, 60, 70);
    await second.flush();
    await until(() => second.stats().spoolBytes === 0);
    expect(second.stats()).toMatchObject({ recovered: 60, acknowledged: 70, inSpool: 0 });
    expect(numbersIn(log)).toEqual(upTo(70));
    const ids = [...log.partitions.values()].flat().map((it) => readBatch(it).publisher);
    expect(new Set(ids)).toEqual(new Set(['07'.repeat(16), '08'.repeat(16)]));
    await second.close({ deadlineMs: 20_000 });
  });

  it('sends newer batches behind the spooled ones, and from memory again once those are sent', async () => {
    const log = new ScriptedLog();
    log.otherwise = 'reject';
    const publishing = publisher(log.connect(), { spoolDir: temporaryFolder() });
    record(publishing, 0, 5);
    await publishing.flush();
    record(publishing, 5, 9);
    await publishing.flush();
    expect(publishing.stats().inSpool).toBe(9);
    log.otherwise = 'ack';
    await until(() => publishing.stats().acknowledged === 9);
    await until(() => publishing.stats().spoolBytes === 0);
    record(publishing, 9, 12);
    await publishing.flush();
    expect(publishing.stats()).toMatchObject({ acknowledged: 12, spooled: 9 });
    expect(numbersIn(log)).toEqual(upTo(12));
    await publishing.close({ deadlineMs: 20_000 });
  });

  it('moves to disk what waits behind a log that hangs, once half of the memory is used (I11)', async () => {
    const log = new ScriptedLog();
    log.answers = ['hang'];
    const connection = log.connect();
    const publishing = publisher(connection, { spoolDir: temporaryFolder(), queueMax: 20 });
    for (let number = 0; number < 200; number += 10) {
      record(publishing, number, number + 10);
      void publishing.flush();
      if (publishing.stats().queued > 10) await until(() => publishing.stats().queued === 0);
    }
    expect(publishing.stats()).toMatchObject({ accepted: 200, dropped: { queue_full: 0 } });
    expect(publishing.stats().inSpool).toBeGreaterThan(180);
    connection.release('reject');
    await until(() => publishing.stats().acknowledged === 200);
    expect(numbersIn(log)).toEqual(upTo(200));
    await publishing.close({ deadlineMs: 20_000 });
  });

  it('moves to disk what waits behind an append that takes longer than a second', async () => {
    const log = new ScriptedLog();
    log.answers = ['hang_written'];
    const connection = log.connect();
    const clock = new HandClock();
    const publishing = publisher(connection, { spoolDir: temporaryFolder(), clock });
    record(publishing, 0, 3);
    const first = publishing.flush();
    await until(() => connection.hanging === 1);
    record(publishing, 3, 6);
    const second = publishing.flush();
    clock.ms += 1_001;
    await Promise.all([first, second, publishing.flush()]);
    expect(publishing.stats()).toMatchObject({ inSpool: 6, queued: 0 });
    connection.release('ack');
    await until(() => publishing.stats().acknowledged === 6);
    expect(log.attempts).toHaveLength(2);
    expect(numbersIn(log)).toEqual(upTo(6));
    await publishing.close({ deadlineMs: 20_000 });
  });

  it('moves to disk also after it had nothing to move, while batches were there (I1)', async () => {
    const spoolDir = temporaryFolder();
    const log = new ScriptedLog();
    log.answers = ['reject', 'hang'];
    const connection = log.connect();
    const first = publisher(connection, { spoolDir });
    record(first, 0, 3);
    await first.flush();
    await until(() => connection.hanging === 1);
    await first.flush();
    record(first, 3, 6);
    await first.close({ deadlineMs: 500 });
    expect(first.stats()).toMatchObject({ inSpool: 6, queued: 0, dropped: { closed: 0 } });
  });

  it('keeps a batch that can still grow off the disk while the log answers, for a second', async () => {
    const log = new ScriptedLog();
    log.answers = ['reject', 'hang'];
    const connection = log.connect();
    const clock = new HandClock();
    const change = { spoolDir: temporaryFolder(), clock, lingerMs: 1, batchBytesMax: 1024 };
    const publishing = publisher(connection, change);
    record(publishing, 0, 30);
    await until(() => connection.hanging === 1 && publishing.stats().queued === 0);
    log.answers = ['hang'];
    connection.release('ack');
    // On disk still; the log answers, and takes its time.
    await until(() => connection.hanging === 1);
    expect(publishing.stats().inSpool).toBeGreaterThan(0);
    const spooled = publishing.stats().spooled;
    record(publishing, 30, 31);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((go) => setTimeout(go, 1));
    expect(publishing.stats()).toMatchObject({ queued: 1, spooled });
    clock.ms += 1_000;
    record(publishing, 31, 32);
    await until(() => publishing.stats().spooled === spooled + 2);
    connection.release('ack');
    await until(() => publishing.stats().acknowledged === 32);
    expect(numbersIn(log)).toEqual(upTo(32));
    await publishing.close({ deadlineMs: 20_000 });
  });

  it('on close puts the batch that hangs in front of the others on disk', async () => {
    const spoolDir = temporaryFolder();
    const log = new ScriptedLog();
    log.answers = ['hang_written'];
    const connection = log.connect();
    const first = publisher(connection, { spoolDir });
    record(first, 0, 3);
    void first.flush();
    await until(() => connection.hanging === 1);
    record(first, 3, 6);
    await first.close({ deadlineMs: 500 });
    expect(first.stats()).toMatchObject({ inSpool: 6, queued: 0, dropped: { closed: 0 } });
    const second = publisher(log.connect(), { spoolDir });
    await until(() => second.stats().acknowledged === 6);
    expect(numbersIn(log)).toEqual(upTo(6));
    await second.close({ deadlineMs: 20_000 });
  });

  it('drops new outcomes, counted as spool_full, once disk and memory are full', async () => {
    const log = new ScriptedLog();
    log.otherwise = 'reject';
    const logger = lines();
    const publishing = publisher(log.connect(), {
      spoolDir: temporaryFolder(),
      spoolBytesMax: 4_000,
      batchBytesMax: 512,
      queueMax: 20,
      logger,
    });
    let accepted = 0;
    while (publishing.record(outcome(accepted)) === 'accepted') {
      accepted += 1;
      if (accepted % 10 === 0) {
        void publishing.flush();
        const isFull = () => logger.lines.some((line) => line.includes('spool is full'));
        await until(() => publishing.stats().queued === 0 || isFull());
      }
    }
    expect(publishing.stats().dropped).toMatchObject({ spool_full: 1, queue_full: 0 });
    expect(publishing.stats().spoolBytes).toBeLessThanOrEqual(4_000);
    log.otherwise = 'ack';
    await publishing.flush();
    await until(() => publishing.stats().acknowledged === accepted);
    expect(numbersIn(log)).toEqual(upTo(accepted));
    await publishing.close({ deadlineMs: 20_000 });
    expect(logger.lines.filter((line) => line.includes('dropped'))).toHaveLength(1);
  });

  it('drops and counts spooled batches older than seven days, also after a restart', async () => {
    const spoolDir = temporaryFolder();
    const log = new ScriptedLog();
    log.otherwise = 'reject';
    const clock = new HandClock();
    const first = publisher(log.connect(), { spoolDir, clock });
    record(first, 0, 5);
    await first.flush();
    clock.ms += 24 * 3_600_000;
    record(first, 5, 7);
    await first.close({ deadlineMs: 20_000 });

    clock.ms += 6 * 24 * 3_600_000 + 1;
    log.otherwise = 'ack';
    const logger = lines();
    const second = publisher(log.connect(), { spoolDir, clock, logger });
    await until(() => second.stats().spoolBytes === 0);
    expect(second.stats()).toMatchObject({
      recovered: 7,
      acknowledged: 2,
      dropped: { expired: 5 },
    });
    expect(numbersIn(log)).toEqual([5, 6]);
    expect(logger.lines.map((line) => line.split(':')[0])).toEqual(['error', 'info']);
    await second.close({ deadlineMs: 20_000 });
  });

  it('stays within memory while the disk cannot be written, and uses it again when it can', async () => {
    const spoolDir = temporaryFolder();
    const log = new ScriptedLog();
    log.otherwise = 'reject';
    const logger = lines();
    const publishing = publisher(log.connect(), { spoolDir, queueMax: 6, logger });
    // Where the first segment would be made lies something else already.
    const folder = join(spoolDir, TOPIC);
    const blocked = upTo(3).map((partition) => join(folder, `${partition}-00000001.spool`));
    for (const path of blocked) writeFileSync(path, 'x');
    record(publishing, 0, 6);
    void publishing.flush();
    await until(() => publishing.stats().spoolErrors > 0);
    expect(publishing.record(outcome(6))).toBe('dropped');
    for (const path of blocked) rmSync(path);
    await publishing.flush();
    expect(publishing.stats()).toMatchObject({ inSpool: 6, queued: 0 });
    log.otherwise = 'ack';
    await until(() => publishing.stats().acknowledged === 6);
    await publishing.close({ deadlineMs: 20_000 });
    expect(logger.lines).toContain('info: The spool can be written again.');
    expect(logger.lines.filter((line) => line.includes('cannot be written'))).toHaveLength(1);
  });

  it('waits, and says so, while the spool cannot be read, and then goes on (I1)', async () => {
    const spoolDir = temporaryFolder();
    const log = new ScriptedLog();
    log.answers = ['hang'];
    const connection = log.connect();
    const clock = new HandClock();
    const logger = lines();
    const publishing = publisher(connection, { spoolDir, clock, logger });
    record(publishing, 0, 3);
    void publishing.flush();
    await until(() => connection.hanging === 1);
    record(publishing, 3, 6);
    clock.ms += 1_001;
    await publishing.flush();
    expect(publishing.stats().inSpool).toBe(6);

    const folder = join(spoolDir, TOPIC);
    const name = readdirSync(folder).find((it) => it.endsWith('.spool')) as string;
    renameSync(join(folder, name), join(folder, 'away'));
    // A folder can be opened, not read.
    mkdirSync(join(folder, name));
    connection.release('ack');
    await until(() => publishing.stats().spoolErrors > 2);
    rmdirSync(join(folder, name));
    renameSync(join(folder, 'away'), join(folder, name));
    await until(() => publishing.stats().acknowledged === 6);
    expect(numbersIn(log)).toEqual(upTo(6));
    expect(logger.lines).toEqual([
      'error: The spool cannot be read; its partition waits until it can.',
      'info: The spool can be read again.',
    ]);
    await publishing.close({ deadlineMs: 20_000 });
  });

  it('holds its folder until the disk has answered, also beyond the deadline of its close (I1)', async () => {
    const spoolDir = temporaryFolder();
    const log = new ScriptedLog();
    log.otherwise = 'reject';
    const disk = await stalledDisk(spoolDir);
    const slow = publisher(log.connect(), { spoolDir });
    record(slow, 0, 5);
    await slow.close({ deadlineMs: 50 });
    expect(slow.stats()).toMatchObject({ inSpool: 0, queued: 0, dropped: { closed: 5 } });
    const next = () =>
      publisher(log.connect(), { spoolDir, publisherId: () => Buffer.alloc(16, 8) });
    expect(next).toThrow(/in use by the publisher/);
    disk.goOn();
    await until(() => ownersOf(spoolDir).length === 0);
    await next().close({ deadlineMs: 20_000 });
  });

  it('refuses a folder that another publisher owns', async () => {
    const spoolDir = temporaryFolder();
    const first = publisher(new ScriptedLog().connect(), { spoolDir });
    expect(() => publisher(new ScriptedLog().connect(), { spoolDir })).toThrow(/is in use by/);
    await first.close({ deadlineMs: 100 });
    const second = publisher(new ScriptedLog().connect(), { spoolDir });
    await second.close({ deadlineMs: 100 });
  });
});
