import { expect, test } from 'vitest';
import { exitCodeOf, NO_COUNTS, summaryLines } from '../../ops/test/counts.js';

const SKIPPED = [{ name: 'log/kafka.int.test.ts > reads', reason: 'kafka needs Java 17 or newer' }];

test('the last line holds the three counts alone', () => {
  const lines = summaryLines(
    { ...NO_COUNTS, passed: 12, failed: ['lint'], skipped: SKIPPED },
    new Map(),
    false,
  );
  expect(lines.at(-1)).toBe('12 passed, 1 failed, 1 skipped');
});

test('each skip is named with its reason, and seconds stand by group', () => {
  const seconds = new Map([
    ['check', 3.21],
    ['unit', 10],
  ]);
  const lines = summaryLines({ ...NO_COUNTS, passed: 1, skipped: SKIPPED }, seconds, false);
  expect(lines).toContain('  log/kafka.int.test.ts > reads: kafka needs Java 17 or newer');
  expect(lines[0]).toBe('Seconds: check 3.2, unit 10.0');
});

test('a skip fails the run with CI=true only, a failure always', () => {
  const skipped = { ...NO_COUNTS, passed: 1, skipped: SKIPPED };
  expect(exitCodeOf(skipped, false)).toBe(0);
  expect(exitCodeOf(skipped, true)).toBe(1);
  expect(exitCodeOf({ ...NO_COUNTS, passed: 1, failed: ['lint'] }, false)).toBe(1);
  expect(exitCodeOf({ ...NO_COUNTS, passed: 1 }, true)).toBe(0);
});

test('what passed at its second try is named with why the first one failed', () => {
  const retried = [{ name: 'e2e/all.e2e.test.ts > starts', reason: 'no answer' }];
  const lines = summaryLines({ ...NO_COUNTS, passed: 1, retried }, new Map(), true);
  expect(lines).toContain('  e2e/all.e2e.test.ts > starts: no answer');
  expect(lines.at(-1)).toBe('1 passed, 0 failed, 0 skipped');
});
