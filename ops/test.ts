/**
 * `npm test`: types and lint, unit tests, then the tests with real services, which it starts and
 * stops itself. `npm test -- --only unit` runs one group; other words are parts of file names.
 */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/package-root.js';
import { createProgress } from './stack/progress.js';
import { addCounts, type Counts, exitCodeOf, NO_COUNTS, summaryLines } from './test/counts.js';
import { GROUPS, type Group, type Runner, runCheck, runProject } from './test/groups.js';
import {
  missingServiceOf,
  startTestServices,
  type TestServices,
  withoutSettings,
} from './test/services.js';

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
      if (services === null && (group === 'int' || group === 'e2e')) {
        services = await timed('services', startServices);
      }
      const runner: Runner = {
        root: packageRoot,
        environment: services?.environment ?? withoutSettings(process.env),
        filters,
        onChild: interruption.onChild,
      };
      process.stdout.write(`\n== ${group} ==\n`);
      counts = addCounts(counts, await timed(group, () => runGroup(group, runner)));
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

function runGroup(group: Group, runner: Runner): Promise<Counts> {
  return group === 'check' ? runCheck(runner) : runProject(runner, group);
}

function startServices(): Promise<TestServices> {
  const progress = createProgress((line) => process.stderr.write(line));
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
    },
  };
}

/** A test that skips itself for want of a service need not know what to install. */
function withReasons(counts: Counts, services: TestServices | null): Counts {
  const skipped = counts.skipped.map(({ name, reason }) => {
    const file = join(packageRoot, name.split(' > ')[0] ?? '');
    const missing = services === null ? null : missingServiceOf(file, services.missing);
    return { name, reason: missing ?? reason };
  });
  return { ...counts, skipped };
}
