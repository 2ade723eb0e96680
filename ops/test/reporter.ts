import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from 'vitest/node';
import type { Counts } from './counts.js';

/**
 * Beside the reporter on the screen: writes the counts of one vitest run to the file that
 * REPORT_FILE names. Unlike vitest's own JSON report it holds the reasons of skips, and counts
 * files that cannot be loaded and hooks that fail.
 */
export default class CountsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const counts: Counts = { passed: 0, failed: [], skipped: [], retried: [] };
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId);
      if (module.errors().length > 0) counts.failed.push(`${file}: ${firstMessage(module)}`);
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) {
          counts.failed.push(`${file} > ${suite.fullName}: a hook: ${firstMessage(suite)}`);
        }
      }
      for (const test of module.children.allTests()) count(test, file, counts);
    }
    for (const error of errors) counts.failed.push(`an error outside of tests: ${error.message}`);
    const path = process.env['REPORT_FILE'];
    if (path === undefined) throw new Error('REPORT_FILE must name the report');
    writeFileSync(path, JSON.stringify(counts));
  }
}

function firstMessage(module: TestModule | TestSuite): string {
  return module.errors()[0]?.message.split('\n')[0] ?? '';
}

function count(test: TestCase, file: string, counts: Counts): void {
  const name = `${file} > ${test.fullName}`;
  const result = test.result();
  if (result.state === 'passed') {
    counts.passed += 1;
    const reason = result.errors?.[0]?.message.split('\n')[0] ?? 'no reason given';
    if (test.diagnostic()?.flaky) counts.retried.push({ name, reason });
  } else if (result.state === 'failed') counts.failed.push(`${name}: ${reasonOf(result.errors)}`);
  else if (result.state === 'skipped') counts.skipped.push({ name, reason: result.note ?? null });
  else counts.failed.push(`${name}: did not end`);
}

/** Of a difference, no more than this is shown. */
const DIFFERENCE_LINES_MAX = 30;

/** What was said of each try, and how what came differs from what was expected. */
function reasonOf(errors: NonNullable<ReturnType<TestCase['result']>['errors']>): string {
  return errors
    .flatMap(({ message, diff }) => [
      message.split('\n')[0]!,
      ...(diff ?? '').split('\n').slice(0, DIFFERENCE_LINES_MAX),
    ])
    .filter((line) => line !== '')
    .map((line) => stripVTControlCharacters(line))
    .join('\n    ');
}
