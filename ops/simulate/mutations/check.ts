import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from './mutation.js';
import type { Tree } from './tree.js';

/** Each defect must be found within so many seeds. */
const SEEDS = 200;

/** Names of what fails in the tree as it stands; null = nothing of the check did run. */
export function redOf(tree: Tree, check: Check): string[] | null {
  if (check.by === 'simulation') {
    const { code, output } = tree.run(
      'dist/ops/simulate/main.js',
      '--seeds',
      String(SEEDS),
      '--json',
    );
    const red = output.split('\n').filter((line) => /^seed \d+: \w+ does not hold/.test(line));
    if (code > 1 || (code === 1) !== red.length > 0) throw new Error(`simulation: ${output}`);
    return red;
  }
  const report = join(tree.root, 'report.json');
  const args = ['run', '--project', check.project, check.file];
  if (check.name !== undefined) args.push('-t', check.name);
  rmSync(report, { force: true });
  tree.run('vitest', ...args, '--reporter=json', `--outputFile=${report}`);
  return failedTests(report);
}

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { assertionResults: { fullName: string; status: string }[] }[];
}

function failedTests(path: string): string[] | null {
  const report = JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
  if (report.numPassedTests + report.numFailedTests === 0) return null;
  return report.testResults
    .flatMap((result) => result.assertionResults)
    .filter(({ status }) => status === 'failed')
    .map(({ fullName }) => fullName);
}
