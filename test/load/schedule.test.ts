import { expect, it } from 'vitest';
import { atConstantRate, preciseNowMs } from '../../src/load/schedule.js';

const never = new AbortController().signal;

it('gives each call its own moment, whatever the calls before it cost', async () => {
  const due: number[] = [];
  await atConstantRate({
    rate: 500,
    seconds: 1,
    stop: never,
    onDue(index, dueMs) {
      expect(index).toBe(due.length);
      expect(preciseNowMs()).toBeGreaterThanOrEqual(dueMs);
      due.push(dueMs);
      // The process is away for 60 ms, as in a pause of the garbage collector.
      if (index === 50) for (const endMs = preciseNowMs() + 60; preciseNowMs() < endMs; );
    },
  });
  expect(due).toHaveLength(500);
  expect(due.every((dueMs, i) => Math.abs(dueMs - (due[0]! + i * 2)) < 0.01)).toBe(true);
});

it('lets answers be read while it makes up for a delay', async () => {
  let answersRead = 0;
  let isReading = true;
  const read = (): void => {
    answersRead += 1;
    if (isReading) setImmediate(read);
  };
  read();
  let readBefore = 0;
  let readAfter = 0;
  await atConstantRate({
    rate: 5_000,
    seconds: 1,
    stop: never,
    onDue(index) {
      if (index === 0) {
        readBefore = answersRead;
        for (const endMs = preciseNowMs() + 900; preciseNowMs() < endMs; );
      }
      if (index === 4_000) readAfter = answersRead;
    },
  });
  isReading = false;
  expect(readAfter - readBefore).toBeGreaterThan(10);
});

it('stops at the signal', async () => {
  const stopping = new AbortController();
  let made = 0;
  await atConstantRate({
    rate: 1_000,
    seconds: 60,
    stop: stopping.signal,
    onDue() {
      made += 1;
      if (made === 10) stopping.abort();
    },
  });
  expect(made).toBeLessThan(1_000);
});
