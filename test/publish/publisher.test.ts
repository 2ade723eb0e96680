import { describe, expect, it, vi } from 'vitest';
import type { RequestOutcome } from '../../src/event/outcome.js';
import { counted, outcome, readBatch } from './outcomes.js';
import { HandClock, lines, publisher, until } from './publishing.js';
import { ScriptedLog } from './scripted-log.js';

describe('record', () => {
  it('answers at once, accepted or dropped, while the log hangs (I11)', () => {
    const log = new ScriptedLog();
    log.otherwise = 'hang';
    const publishing = publisher(log.connect(), { queueMax: 10, lingerMs: 60_000 });
    const answers = Array.from({ length: 25 }, (_, number) => publishing.record(outcome(number)));
    expect(answers.slice(0, 10)).toEqual(Array(10).fill('accepted'));
    expect(answers.slice(10)).toEqual(Array(15).fill('dropped'));
    expect(publishing.stats()).toMatchObject({ accepted: 10, dropped: { queue_full: 15 } });
    return publishing.close({ deadlineMs: 0 });
  });

  it('names the field and the rule of an outcome that breaks one, and counts it', () => {
    const publishing = publisher(new ScriptedLog().connect());
    const refused = publishing.record(outcome(1, { duration_ms: -1 }));
    expect(refused).toMatchObject({ field: 'duration_ms' });
    const { rule } = refused as { rule: string };
    expect(publishing.stats()).toMatchObject({
      accepted: 0,
      queued: 0,
      refused: { [`duration_ms: ${rule}`]: 1 },
    });
  });

  it('does not throw for what is no outcome at all', () => {
    const publishing = publisher(new ScriptedLog().connect());
    const trap = new Proxy(
      {},
      {
        get: () => {
          throw new Error('unreadable');
        },
      },
    );
    for (const wrong of [null, undefined, 5, 'x', {}, trap] as unknown as RequestOutcome[]) {
      expect(publishing.record(wrong)).toHaveProperty('rule');
    }
    expect(publishing.stats().accepted).toBe(0);
  });

  it('keeps the outcome as it was when it was recorded', async () => {
    const log = new ScriptedLog();
    const publishing = publisher(log.connect());
    const mutable = outcome(1);
    publishing.record(mutable);
    mutable.event_id.fill(0xff);
    await publishing.flush();
    expect(log.attempts.map(readBatch)).toMatchObject([{ numbers: [1] }]);
  });

  it('bounds the bytes in memory as well as the outcomes (I11)', () => {
    const publishing = publisher(new ScriptedLog().connect(), {
      queueMax: 100,
      batchBytesMax: 1024,
    });
    const large = (number: number) =>
      outcome(number, {
        requested_model: 'x'.repeat(256),
        region: '地'.repeat(60),
        tenant: '地'.repeat(128),
        request_id: '地'.repeat(128),
        model: '地'.repeat(128),
      });
    let accepted = 0;
    while (publishing.record(large(accepted)) === 'accepted') accepted += 1;
    expect(accepted).toBeLessThan(100);
    expect(publishing.stats().queuedBytes).toBeLessThan(100 * 1024 + 2048);
    expect(publishing.stats().dropped.queue_full).toBe(1);
  });

  it('accepts again once there is room, and says so once each way', async () => {
    const log = new ScriptedLog();
    const logger = lines();
    const publishing = publisher(log.connect(), { queueMax: 4, logger });
    for (let number = 0; number < 9; number += 1) publishing.record(outcome(number));
    await publishing.flush();
    expect(publishing.record(outcome(10))).toBe('accepted');
    expect(logger.lines).toEqual([
      'error: Outcomes are dropped and counted.',
      'info: Outcomes are accepted again.',
    ]);
  });
});

describe('batches', () => {
  it('hold what is due for a partition, within the bound, in the order of recording', async () => {
    const log = new ScriptedLog();
    const publishing = publisher(log.connect(), { batchBytesMax: 2048 });
    for (let number = 0; number < 300; number += 1) {
      publishing.record(outcome(number, { model: `model-${number % 7}` }));
    }
    await publishing.flush();
    const numbers: number[] = [];
    for (const [, records] of log.partitions) {
      const batches = records.map(readBatch);
      expect(batches.map((it) => it.sequence)).toEqual(batches.map((_, at) => at + 1));
      const own = batches.flatMap((it) => it.numbers);
      expect(own).toEqual([...own].sort((a, b) => a - b));
      numbers.push(...own);
      // As full as the bound allows: two neighbours never fit into one.
      for (const [at, { value }] of records.entries()) {
        expect(value.length).toBeLessThanOrEqual(2048);
        const next = records[at + 1]?.value.length ?? 2048;
        expect(value.length + next).toBeGreaterThan(2048);
      }
    }
    expect(log.partitions.size).toBe(3);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, at) => at));
  });

  it('go when the linger ends or the bound is reached, without a flush', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const log = new ScriptedLog();
      const publishing = publisher(log.connect(), { lingerMs: 50, batchBytesMax: 1024 });
      publishing.record(outcome(1));
      expect(log.attempts).toHaveLength(0);
      vi.advanceTimersByTime(50);
      await until(() => publishing.stats().acknowledged === 1);
      let number = 2;
      while (publishing.stats().acknowledged === 1) {
        publishing.record(outcome(number));
        number += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(readBatch(log.attempts[1]!)).toMatchObject({ sequence: 2 });
      await publishing.close({ deadlineMs: 1_000 });
      expect(publishing.stats()).toMatchObject({ acknowledged: number - 1, queued: 0 });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('grow while the log is slow: what comes during an append shares the next one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const log = new ScriptedLog();
      log.otherwise = 'hang';
      const connection = log.connect();
      const publishing = publisher(connection, { lingerMs: 50 });
      for (let number = 0; number < 20; number += 1) {
        publishing.record(outcome(number));
        vi.advanceTimersByTime(50);
        await until(() => connection.hanging === 1);
      }
      expect(log.attempts.map(readBatch)).toMatchObject([{ sequence: 1, numbers: [0] }]);
      connection.release('ack');
      await until(() => log.attempts.length === 2 && connection.hanging === 1);
      const others = Array.from({ length: 19 }, (_, at) => at + 1);
      expect(readBatch(log.attempts[1]!)).toMatchObject({ sequence: 2, numbers: others });
      connection.release('ack');
      await publishing.close({ deadlineMs: 1_000 });
    } finally {
      vi.useRealTimers();
    }
  });

  it('that are full while the log is slow wait as they are, and those behind them fill up', async () => {
    const log = new ScriptedLog();
    log.otherwise = 'hang';
    const connection = log.connect();
    const publishing = publisher(connection, { lingerMs: 1, batchBytesMax: 1024 });
    for (let number = 0; number < 50; number += 1) {
      publishing.record(outcome(number));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    log.otherwise = 'ack';
    connection.release('ack');
    await until(() => publishing.stats().acknowledged === 50);
    const batches = log.attempts.map(readBatch);
    expect(batches.map(({ sequence }) => sequence)).toEqual(batches.map((_, at) => at + 1));
    expect(batches.flatMap(({ numbers }) => numbers)).toEqual(
      Array.from({ length: 50 }, (_, at) => at),
    );
    // The first went when its linger was over; the last is what was left.
    const full = log.attempts.slice(1, -1).map(({ value }) => value.length);
    expect(full.length).toBeGreaterThan(1);
    for (const bytes of full) expect(bytes).toBeGreaterThan(1024 * 0.9);
    await publishing.close({ deadlineMs: 1_000 });
  });

  it('wait for flush when there is no linger', async () => {
    const log = new ScriptedLog();
    const publishing = publisher(log.connect(), { batchBytesMax: 1024 });
    for (let number = 0; number < 100; number += 1) publishing.record(outcome(number));
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.attempts).toHaveLength(0);
    await publishing.flush();
    expect(publishing.stats().acknowledged).toBe(100);
  });

  it('are sent again byte for byte, one at a time, until acknowledged (I1)', async () => {
    const log = new ScriptedLog();
    log.answers = ['reject', 'reject_written', 'reject', 'ack', 'reject_written', 'ack'];
    const logger = lines();
    const publishing = publisher(log.connect(), { batchBytesMax: 256, logger });
    publishing.record(outcome(1));
    publishing.record(outcome(2));
    publishing.record(outcome(3));
    publishing.record(outcome(4));
    await publishing.flush();
    const sequences = log.attempts.map((it) => readBatch(it).sequence);
    expect(sequences).toEqual([1, 1, 1, 1, 2, 2]);
    const values = new Set(log.attempts.map((it) => it.value.toString('hex')));
    expect(values.size).toBe(2);
    const records = [...log.partitions.values()].flat();
    expect(counted(records).flatMap((it) => it.numbers)).toEqual([1, 2, 3, 4]);
    expect(publishing.stats()).toMatchObject({ acknowledged: 4, appendsRejected: 4, queued: 0 });
    expect(logger.lines.map((line) => line.split(':')[0])).toEqual([
      'warn',
      'info',
      'warn',
      'info',
    ]);
  });

  it('of one partition do not wait for those of another', async () => {
    const log = new ScriptedLog();
    log.answers = ['hang'];
    const connection = log.connect();
    const publishing = publisher(connection);
    for (let number = 0; number < 20; number += 1) {
      publishing.record(outcome(number, { model: `model-${number % 7}` }));
    }
    void publishing.flush();
    await until(() => connection.hanging === 1 && log.partitions.size === 2);
    connection.release('ack');
    await publishing.flush();
    expect(log.partitions.size).toBe(3);
  });

  it('that waited for seven days are dropped and counted, never sent', async () => {
    const log = new ScriptedLog();
    log.answers = ['hang'];
    const connection = log.connect();
    const clock = new HandClock();
    const publishing = publisher(connection, { batchBytesMax: 256, clock });
    for (let number = 0; number < 4; number += 1) publishing.record(outcome(number));
    const flushed = publishing.flush();
    await until(() => connection.hanging === 1);
    clock.ms += 7 * 24 * 3_600_000 + 1;
    publishing.record(outcome(9));
    connection.release('reject');
    await Promise.all([flushed, publishing.flush()]);
    expect(publishing.stats()).toMatchObject({
      acknowledged: 1,
      queued: 0,
      dropped: { expired: 4 },
    });
    expect(log.attempts.slice(1).map(readBatch)).toMatchObject([{ sequence: 3, numbers: [9] }]);
  });
});

describe('close', () => {
  it('sends what is held', async () => {
    const log = new ScriptedLog();
    log.answers = ['reject', 'reject_written'];
    const publishing = publisher(log.connect(), { lingerMs: 60_000 });
    for (let number = 0; number < 5; number += 1) publishing.record(outcome(number));
    await publishing.close({ deadlineMs: 20_000 });
    expect(publishing.stats()).toMatchObject({ acknowledged: 5, queued: 0, queuedBytes: 0 });
  });

  it('drops and counts what the log did not take within the deadline, and settles every flush', async () => {
    const log = new ScriptedLog();
    log.otherwise = 'hang';
    const logger = lines();
    const connection = log.connect();
    const publishing = publisher(connection, { lingerMs: 60_000, logger });
    for (let number = 0; number < 5; number += 1) publishing.record(outcome(number));
    const flushed = publishing.flush();
    const closed = publishing.close({ deadlineMs: 10 });
    expect(publishing.close({ deadlineMs: 10 })).toBe(closed);
    await Promise.all([flushed, closed]);
    expect(publishing.stats()).toMatchObject({ queued: 0, queuedBytes: 0, dropped: { closed: 5 } });
    expect(logger.lines).toEqual(['error: The publisher closed and lost outcomes.']);
    expect(publishing.record(outcome(6))).toBe('dropped');
    expect(publishing.stats().dropped.after_close).toBe(1);
    // An answer that comes too late changes nothing.
    connection.release('ack');
    await new Promise((resolve) => setImmediate(resolve));
    expect(publishing.stats()).toMatchObject({ acknowledged: 0, dropped: { closed: 5 } });
  });

  it('leaves no timer while the log rejects (I11)', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const log = new ScriptedLog();
      log.otherwise = 'reject';
      const publishing = publisher(log.connect(), {
        lingerMs: 60_000,
        retry: { initialMs: 60_000, maxMs: 60_000 },
      });
      publishing.record(outcome(1));
      void publishing.flush();
      await until(() => publishing.stats().appendsRejected === 1);
      expect(vi.getTimerCount()).toBe(1);
      const closed = publishing.close({ deadlineMs: 0 });
      await vi.advanceTimersByTimeAsync(0);
      await closed;
      expect(vi.getTimerCount()).toBe(0);
      expect(publishing.stats().dropped.closed).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });
});
