/**
 * `npm run faults -- --list [--json]`: every fault and what shows how the product takes it.
 * `npm run faults -- --row N [--row N …] [--json]`: runs the tests of these, with the services that
 * they need; `--all`: of all. A test that several rows name runs once. Exits 1 where a test failed,
 * did not run or is not there.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../src/package-root.js';
import { createProgress } from '../stack/progress.js';
import { startTestServices, type TestServices } from '../test/services.js';
import type { FaultRow, FaultTest } from './fault-row.js';
import { FAULTS } from './matrix.js';

const USAGE = `usage: npm run faults -- --list [--json]
       npm run faults -- --row N [--row N …] [--json]
       npm run faults -- --all [--json]`;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const args = readArguments(argv);
  if (typeof args === 'string') {
    process.stderr.write(`${args}\n${USAGE}\n`);
    return 2;
  }
  return args.isList ? list(args.isJson) : run(args.rows, args.isJson);
}

function list(isJson: boolean): number {
  for (const { row, fault, tests, whyNot } of FAULTS) {
    if (isJson) break;
    process.stdout.write(`${String(row).padStart(2)}  ${fault}\n`);
    for (const test of tests) process.stdout.write(`      ${labelOf(test)}\n`);
    if (whyNot !== undefined) process.stdout.write(`      not here: ${whyNot}\n`);
  }
  const rows = FAULTS.map(({ row, tests, whyNot }) => ({
    row,
    test: tests.map(labelOf).join('; ') || null,
    why_not: whyNot ?? null,
  }));
  if (isJson) process.stdout.write(`${JSON.stringify({ rows })}\n`);
  return 0;
}

async function run(rows: readonly FaultRow[], isJson: boolean): Promise<number> {
  const progress = createProgress((line) => process.stderr.write(line));
  const services = await startTestServices(
    join(packageRoot, 'test'),
    { ...process.env, CI: 'true' },
    progress,
  );
  const results: { row: number; passed: boolean; seconds: number }[] = [];
  // Many rows point to the same runs from a seed: each test runs once.
  const outcomes = new Map<string, boolean>();
  try {
    for (const row of rows) results.push(await runRow(row, services, outcomes));
  } finally {
    await services.stop();
  }
  const failed = results.filter(({ passed }) => !passed).map(({ row }) => row);
  if (isJson) process.stdout.write(`${JSON.stringify({ rows: results, failed })}\n`);
  else process.stdout.write(`${results.length} rows, failed: ${failed.join(', ') || 'none'}\n`);
  return failed.length === 0 ? 0 : 1;
}

/** A row without a test has nothing that could fail. */
async function runRow(
  { row, fault, tests }: FaultRow,
  services: TestServices,
  outcomes: Map<string, boolean>,
) {
  process.stderr.write(`\n== ${row}: ${fault}\n`);
  const startedMs = performance.now();
  let passed = true;
  for (const test of tests) {
    const label = labelOf(test);
    const outcome = outcomes.get(label) ?? (await runTest(test, services));
    outcomes.set(label, outcome);
    passed &&= outcome;
    if (!outcome) process.stderr.write(`== ${row} failed: ${label}\n`);
  }
  return { row, passed, seconds: Math.round((performance.now() - startedMs) / 1_000) };
}

function runTest({ file, name }: FaultTest, services: TestServices): Promise<boolean> {
  const args = ['run', '--project', projectOf(file), file];
  // In one word: a name may begin with a dash.
  if (name !== undefined) args.push(`--testNamePattern=${escaped(name)}`);
  const child = spawn(process.execPath, [join(packageRoot, 'node_modules/.bin/vitest'), ...args], {
    cwd: packageRoot,
    env: services.environment,
    // Standard output is for the answer.
    stdio: ['ignore', 2, 2],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code === 0));
  });
}

function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function projectOf(file: string): string {
  return /\.(int|e2e|fault)\.test\.ts$/.exec(file)?.[1] ?? 'unit';
}

function labelOf({ file, name }: FaultTest): string {
  return name === undefined ? file : `${file} > ${name}`;
}

interface Arguments {
  isList: boolean;
  rows: readonly FaultRow[];
  isJson: boolean;
}

function readArguments(argv: readonly string[]): Arguments | string {
  const options = {
    list: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    row: { type: 'string', multiple: true },
  } as const;
  try {
    const { values } = parseArgs({ args: [...argv], options });
    const known = FAULTS.map(({ row }) => String(row));
    const asked = values.row ?? [];
    const unknown = asked.some((row) => !known.includes(row));
    const rows = FAULTS.filter(({ row }) => values.all || asked.includes(String(row)));
    if (unknown || (!values.list && rows.length === 0))
      return `--row must be 1 to ${FAULTS.length}`;
    return { isList: values.list, rows, isJson: values.json };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
