import { expect, test } from 'vitest';
import { exitCodeOf, summaryLines } from '../../ops/test/counts.js';

const SKIPPED = [{ name: 'log/kafka.int.test.ts > reads', reason: 'kafka needs Java 17 or newer' }];

test('the last line holds the three counts alone', () => {
  const lines = summaryLines({ passed: 12, failed: ['lint'], skipped: SKIPPED }, new Map(), false);
  expect(lines.at(-1)).toBe('12 passed, 1 failed, 1 skipped');
});

test('each skip is named with its reason, and seconds stand by group', () => {
  const seconds = new Map([
    ['check', 3.21],
    ['unit', 10],
  ]);
  const lines = summaryLines({ passed: 1, failed: [], skipped: SKIPPED }, seconds, false);
  expect(lines).toContain('  log/kafka.int.test.ts > reads: kafka needs Java 17 or newer');
  expect(lines[0]).toBe('Seconds: check 3.2, unit 10.0');
});

test('a skip fails the run with CI=true only, a failure always', () => {
  const skipped = { passed: 1, failed: [], skipped: SKIPPED };
  expect(exitCodeOf(skipped, false)).toBe(0);
  expect(exitCodeOf(skipped, true)).toBe(1);
  expect(exitCodeOf({ passed: 1, failed: ['lint'], skipped: [] }, false)).toBe(1);
  expect(exitCodeOf({ passed: 1, failed: [], skipped: [] }, true)).toBe(0);
});
