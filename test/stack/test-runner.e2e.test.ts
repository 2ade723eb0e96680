import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Counts } from '../../ops/test/counts.js';
import { withoutSettings } from '../../ops/test/services.js';
import { packageRoot } from '../../src/package-root.js';

const TEST = join(packageRoot, 'dist/ops/test.js');
const { CI: _, ...environment } = withoutSettings(process.env);

let dir: string;
beforeEach(async () => {
  // Below the package, so that the fixtures find vitest.
  dir = await mkdtemp(join(packageRoot, 'dist', 'fixture-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function countsOf(files: Record<string, string>): Promise<Counts> {
  for (const [name, body] of Object.entries(files)) {
    const head = "import { beforeAll, describe, expect, test } from 'vitest';\n";
    await writeFile(join(dir, name), `${head}${body}`);
  }
  await writeFile(join(dir, 'vitest.config.mjs'), 'export default {};');
  const report = join(dir, 'report.json');
  const reporter = join(packageRoot, 'dist/ops/test/reporter.js');
  const vitest = join(packageRoot, 'node_modules/.bin/vitest');
  spawnSync(vitest, ['run', '--root', dir, '--dir', dir, `--reporter=${reporter}`], {
    cwd: dir,
    env: { ...environment, REPORT_FILE: report },
  });
  return JSON.parse(await readFile(report, 'utf8'));
}

test('passes, failures and skips are counted, and a skip keeps its reason', async () => {
  const counts = await countsOf({
    'a.test.mjs': `
      test('good', () => {});
      test('bad', () => { expect(1).toBe(2); });
      test('absent', (context) => context.skip('no Kafka here'));
      test.skip('left out', () => {});`,
  });
  expect(counts.passed).toBe(1);
  expect(counts.failed).toEqual([expect.stringMatching(/^a\.test\.mjs > bad: /)]);
  expect(counts.skipped).toEqual([
    { name: 'a.test.mjs > absent', reason: 'no Kafka here' },
    { name: 'a.test.mjs > left out', reason: null },
  ]);
});

test('what passes at its second try is passed, and named with why it failed', async () => {
  const counts = await countsOf({
    'a.test.mjs': `
      let tries = 0;
      test('flaky', { retry: 1 }, () => { tries += 1; expect(tries).toBe(2); });
      test('bad', { retry: 1 }, () => { expect(1).toBe(2); });`,
  });
  expect(counts.passed).toBe(1);
  expect(counts.failed).toEqual([expect.stringContaining('bad: expected 1 to be 2')]);
  expect(counts.retried).toEqual([
    { name: 'a.test.mjs > flaky', reason: expect.stringContaining('expected 1 to be 2') },
  ]);
});

test('what fails is named with what differed', async () => {
  const { failed } = await countsOf({
    'a.test.mjs': "test('bad', () => { expect(['I1: an event is lost']).toEqual([]); });",
  });
  expect(failed).toEqual([
    expect.stringMatching(/a\.test\.mjs > bad: .*\n.*I1: an event is lost/s),
  ]);
});

test('a file that cannot be loaded and a hook that fails are failures', async () => {
  const counts = await countsOf({
    'broken.test.mjs': "import './nowhere.mjs';",
    'hook.test.mjs': `
      describe('group', () => {
        beforeAll(() => { throw new Error('no server'); });
        test('never run', () => {});
      });`,
    'late.test.mjs': "test('ends', () => { Promise.reject(new Error('unseen')); });",
  });
  expect(counts.failed).toHaveLength(3);
  expect(counts.failed.join('\n')).toMatch(/broken\.test\.mjs: .*nowhere/);
  expect(counts.failed.join('\n')).toContain('hook.test.mjs > group: a hook: no server');
  expect(counts.failed.join('\n')).toContain('an error outside of tests: unseen');
});

test('the runner ends with the counts alone on its last line', () => {
  const args = ['--only', 'unit', 'test/stack/kafka-properties.test.ts'];
  const run = spawnSync(process.execPath, [TEST, ...args], { env: environment, encoding: 'utf8' });
  expect(run.stdout.endsWith('\n3 passed, 0 failed, 0 skipped\n')).toBe(true);
  expect(run.status).toBe(0);
});

test('a group without files is no failure, and an unknown group is wrong use', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [TEST, ...args], { env: environment, encoding: 'utf8' });
  const none = run('--only', 'unit', 'no-such-file');
  expect(none.stdout.endsWith('\n0 passed, 0 failed, 0 skipped\n')).toBe(true);
  expect(none.status).toBe(0);
  expect(run('--only', 'units').status).toBe(2);
});

test('a run that is interrupted still stops its services and says what it counted', async () => {
  const run = spawn(process.execPath, [TEST, '--only', 'int', 'no-such-file'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let stdout = '';
  run.stdout.on('data', (chunk) => {
    stdout += chunk;
    // Once: a second signal may meet a process that has already said all.
    if (stdout.includes('== int ==') && !run.killed) run.kill('SIGTERM');
  });
  const code = await new Promise((resolve) => run.once('close', resolve));
  expect(code).toBe(130);
  expect(stdout).toMatch(/\n0 passed, \d failed, 0 skipped\n$/);
});
