import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Counts, NO_COUNTS } from './counts.js';

export const GROUPS = ['check', 'unit', 'int', 'system-postgres', 'e2e', 'node24'] as const;
export type Group = (typeof GROUPS)[number];

export interface Runner {
  /** Folder of package.json. */
  root: string;
  /** Program that runs the tests. */
  node: string;
  environment: Readonly<Record<string, string>>;
  /** Parts of file names; none = every file. */
  filters: readonly string[];
  /** Called with each child, so that an interruption can wait for it. */
  onChild(child: ChildProcess): void;
}

/** Types and lint; each counts as one test. */
export async function runCheck(runner: Runner): Promise<Counts> {
  const tools = [
    ['typecheck', 'tsc', '--noEmit', '-p', 'tsconfig.test.json'],
    ['lint', 'biome', 'check', '--error-on-warnings', '.'],
  ] as const;
  const counts: Counts = { passed: 0, failed: [], skipped: [], retried: [] };
  for (const [name, tool, ...args] of tools) {
    process.stdout.write(`${name} …\n`);
    if ((await runTool(runner, tool, args, {})) === 0) counts.passed += 1;
    else counts.failed.push(name);
  }
  return counts;
}

/** The vitest project of that name; no file of it is no failure. */
export async function runProject(runner: Runner, project: string): Promise<Counts> {
  const report = join(tmpdir(), `airouter-test-${process.pid}-${project}.json`);
  const reporter = join(runner.root, 'dist/ops/test/reporter.js');
  const args = ['run', '--project', project, '--passWithNoTests', ...runner.filters];
  args.push('--reporter=default', `--reporter=${reporter}`);
  try {
    const code = await runTool(runner, 'vitest', args, { REPORT_FILE: report });
    const counts = readReport(report);
    if (counts === null)
      return { ...NO_COUNTS, failed: [`${project}: vitest ended without a report`] };
    // Whatever else vitest fails for must not pass in silence.
    if (code !== 0 && counts.failed.length === 0) counts.failed.push(`${project}: vitest failed`);
    return counts;
  } finally {
    rmSync(report, { force: true });
  }
}

function readReport(path: string): Counts | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Counts;
  } catch {
    return null;
  }
}

/** Runs a program of node_modules with its output on the screen; answers its exit code. */
function runTool(
  { root, node, environment, onChild }: Runner,
  tool: string,
  args: readonly string[],
  extra: Readonly<Record<string, string>>,
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(node, [join(root, 'node_modules/.bin', tool), ...args], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...environment, ...extra },
    });
    onChild(child);
    child.once('error', (error) => {
      process.stderr.write(`${tool}: ${error.message}\n`);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
