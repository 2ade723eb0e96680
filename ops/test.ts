/**
 * `npm test`: types and lint, unit tests, then the tests with real services, which it starts and
 * stops itself. `npm test -- --only unit` runs one group; other words are parts of file names.
 */
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/package-root.js';
import { createProgress, type Progress } from './stack/progress.js';
import { addCounts, type Counts, exitCodeOf, NO_COUNTS, summaryLines } from './test/counts.js';
import { GROUPS, type Group, type Runner, runCheck, runProject } from './test/groups.js';
import { runNode24 } from './test/node24.js';
import {
  missingServiceOf,
  startTestServices,
  type TestServices,
  withoutSettings,
} from './test/services.js';

const NEEDS_SERVICES: ReadonlySet<Group> = new Set(['int', 'system-postgres', 'e2e', 'node24']);
const progress: Progress = createProgress((line) => process.stderr.write(line));

process.exitCode = await main();

async function main(): Promise<number> {
  const { groups, filters } = readArguments();
  const interruption = watchInterruption();
  const seconds = new Map<string, number>();
  let counts: Counts = NO_COUNTS;
  let services: TestServices | null = null;
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const begunMs = performance.now();
    try {
      return await work();
    } finally {
      seconds.set(name, (performance.now() - begunMs) / 1000);
    }
  };
  try {
    for (const group of groups) {
      if (interruption.isInterrupted()) break;
      if (services === null && NEEDS_SERVICES.has(group)) {
        services = await timed('services', startServices);
      }
      const runner: Runner = {
        root: packageRoot,
        node: process.execPath,
        environment: services?.environment ?? withoutSettings(process.env),
        filters,
        onChild: interruption.onChild,
      };
      process.stdout.write(`\n== ${group} ==\n`);
      counts = addCounts(counts, await timed(group, () => runGroup(group, runner, services)));
    }
  } finally {
    await services?.stop();
  }
  const isCi = process.env['CI'] === 'true';
  const named = withReasons(counts, services);
  process.stdout.write(`\n${summaryLines(named, seconds, isCi).join('\n')}\n`);
  return interruption.isInterrupted() ? 130 : exitCodeOf(named, isCi);
}

function readArguments(): { groups: readonly Group[]; filters: readonly string[] } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string', multiple: true, default: [] } },
  });
  const only = values.only.flatMap((names) => names.split(','));
  const unknown = only.filter((name) => !GROUPS.some((group) => group === name));
  if (unknown.length > 0) {
    process.stderr.write(`--only must be of ${GROUPS.join(', ')}, got ${unknown.join(', ')}\n`);
    process.exit(2);
  }
  const isChosen = (group: Group) =>
    only.length > 0 ? only.includes(group) : positionals.length === 0 || group !== 'check';
  return { groups: GROUPS.filter(isChosen), filters: positionals };
}

async function runGroup(
  group: Group,
  runner: Runner,
  services: TestServices | null,
): Promise<Counts> {
  if (group === 'check') return runCheck(runner);
  if (group === 'node24') return runNode24(runner, progress);
  const missing = services?.missing.get('TEST_SYSTEM_DATABASE_URL');
  if (group === 'system-postgres' && missing !== undefined) {
    return { ...NO_COUNTS, skipped: [{ name: group, reason: missing }] };
  }
  return runProject(runner, group);
}

function startServices(): Promise<TestServices> {
  return startTestServices(join(packageRoot, 'test'), process.env, progress);
}

/**
 * The child ends, then the services are stopped and the counts shown. A terminal's Ctrl-C reaches
 * the child by itself, and a second one would cut its report short: so it is asked only later.
 */
function watchInterruption(): { isInterrupted(): boolean; onChild(child: ChildProcess): void } {
  let isInterrupted = false;
  let current: ChildProcess | null = null;
  const interrupt = (graceMs: number) => () => {
    isInterrupted = true;
    const child = current;
    setTimeout(() => child?.kill('SIGTERM'), graceMs).unref();
  };
  process.on('SIGINT', interrupt(3000));
  process.on('SIGTERM', interrupt(0));
  return {
    isInterrupted: () => isInterrupted,
    onChild: (child) => {
      current = child;
      if (isInterrupted) child.kill('SIGTERM'); // A group may have more than one.
    },
  };
}

/** A test that skips itself for want of a service need not know what to install. */
function withReasons(counts: Counts, services: TestServices | null): Counts {
  const skipped = counts.skipped.map(({ name, reason }) => {
    const file = join(packageRoot, name.replace(/^node24: /, '').split(' > ')[0] ?? '');
    const missing =
      services === null || !existsSync(file) ? null : missingServiceOf(file, services.missing);
    return { name, reason: missing ?? reason };
  });
  return { ...counts, skipped };
}
