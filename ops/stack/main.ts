import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { withLock } from './cache.js';
import { inspectMachine } from './machine.js';
import { type PlanPart, planStack, VARIABLES, type Wanted } from './plan.js';
import { createProgress } from './progress.js';
import { type Stack, startStack } from './stack.js';
import {
  type ProcessStatus,
  readState,
  type StackState,
  statusOf,
  stopAll,
  writeState,
} from './state.js';

const USAGE = `usage: npm run stack -- up|down|status [--brokers 0|1|3] [--redis none|single|cluster]
       [--postgres none|embedded|system] [--dir FOLDER] [--dry-run] [--json]`;

/** Exit codes as those of airouter: 0 done, 1 it does not run, 2 wrong use, 3 not to be had. */
type Exit = 0 | 1 | 2 | 3;

interface Arguments {
  command: string;
  wanted: Wanted;
  dir: string;
  isDryRun: boolean;
  isJson: boolean;
}

const environment = process.env;
const progress = createProgress((line) => process.stderr.write(line));

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<Exit> {
  const args = readArguments(argv);
  if (typeof args === 'string') {
    process.stderr.write(`${args}\n${USAGE}\n`);
    return 2;
  }
  try {
    if (args.command === 'status') return status(args);
    if (args.isDryRun) return dryRun(args);
    return await withLock(`stack ${args.dir}`, () =>
      args.command === 'up' ? up(args) : down(args),
    );
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 3;
  }
}

function readArguments(argv: readonly string[]): Arguments | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        brokers: { type: 'string', default: '1' },
        redis: { type: 'string', default: 'single' },
        postgres: { type: 'string', default: 'embedded' },
        dir: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const [command = '', ...rest] = positionals;
    if (rest.length > 0) return `unexpected: ${rest.join(' ')}`;
    return {
      command: oneOf('the command', command, ['up', 'down', 'status']),
      wanted: {
        kafka: Number(oneOf('--brokers', values.brokers, ['0', '1', '3'])) as Wanted['kafka'],
        redis: oneOf('--redis', values.redis, ['none', 'single', 'cluster']),
        postgres: oneOf('--postgres', values.postgres, ['none', 'embedded', 'system']),
      },
      dir: resolve(values.dir ?? join(inspectMachine(environment).cacheDir, 'stack')),
      isDryRun: values['dry-run'],
      isJson: values.json,
    };
  } catch (error) {
    return (error as Error).message;
  }
}

function oneOf<T extends string>(what: string, given: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === given);
  if (found === undefined) {
    throw new Error(`${what} must be one of ${allowed.join(', ')}, got ${JSON.stringify(given)}`);
  }
  return found;
}

function dryRun(args: Arguments): Exit {
  // A stack that outlives the command is never one of containers.
  const machine = { ...inspectMachine(environment), compose: null };
  const plan = planStack(args.wanted, machine, environment);
  print(
    args,
    { plan },
    plan.map((part: PlanPart) => part.sentence),
  );
  return plan.some((part) => part.source === 'unavailable') ? 3 : 0;
}

async function up(args: Arguments): Promise<Exit> {
  const running = readState(args.dir);
  const isWhole = running !== null && statusOf(args.dir, running).every((one) => one.pid !== null);
  if (isWhole && JSON.stringify(running.wanted) !== JSON.stringify(args.wanted)) {
    process.stderr.write(`Another stack is up in ${args.dir}: stop it first (down).\n`);
    return 2;
  }
  const state = isWhole ? running : await startAnew(args);
  print(args, state.variables, exportLines(state.variables));
  return 0;
}

/** What a killed predecessor left is stopped first; on Ctrl-C nothing is left behind. */
async function startAnew({ dir, wanted }: Arguments): Promise<StackState> {
  await stopAll(dir);
  const interrupt = () => {
    void stopAll(dir).finally(() => process.exit(130));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const options = { environment, progress, dir, lifetime: 'detached' } as const;
  const stack = await startStack({ ...wanted, ...options });
  const state = { wanted, variables: variablesOf(stack), processes: stack.processes };
  await writeState(dir, state);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  return state;
}

function variablesOf(stack: Stack): Record<string, string> {
  const values = [
    [VARIABLES.kafka, stack.kafkaBrokers],
    [VARIABLES.redis, stack.redisUrl],
    [VARIABLES.postgres, stack.databaseUrl],
  ] as const;
  return Object.fromEntries(
    values.flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

async function down(args: Arguments): Promise<Exit> {
  const stopped = await stopAll(args.dir);
  print(args, { stopped }, [
    stopped.length === 0 ? 'Nothing was up.' : `Stopped: ${stopped.join(', ')}.`,
  ]);
  return 0;
}

function status(args: Arguments): Exit {
  const state = readState(args.dir);
  const processes = state === null ? [] : statusOf(args.dir, state);
  const variables = state?.variables ?? {};
  const lines = processes.map(
    ({ name, pid }: ProcessStatus) => `${name}: ${pid === null ? 'does not run' : `pid ${pid}`}`,
  );
  print(
    args,
    { up: state !== null, processes, variables },
    state === null ? ['No stack is up.'] : [...lines, ...exportLines(variables)],
  );
  return state !== null && processes.every((one) => one.pid !== null) ? 0 : 1;
}

/** For `eval "$(npm run --silent stack -- up)"`. */
function exportLines(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`);
}

function print(args: Arguments, json: unknown, lines: readonly string[]): void {
  process.stdout.write(args.isJson ? `${JSON.stringify(json)}\n` : `${lines.join('\n')}\n`);
}
