/**
 * `npm run simulate -- --seeds N [--from S]`: N runs, each from its own seed.
 * `npm run simulate -- --seed N`: one run step by step; where it fails, also its shortest form.
 * With `--json` the last line of stdout is one JSON object. Exits 1 where a run failed, or where
 * memory that is live after a hundred runs has grown by the end.
 */
import { parseArgs } from 'node:util';
import { liveMemory } from '../live-heap.js';
import { scenarioOf } from './scenario.js';
import { shrink } from './shrink.js';
import { type SimulationResult, simulate } from './simulation.js';

const USAGE = `usage: npm run simulate -- [--seeds N] [--from SEED] [--json]
       npm run simulate -- --seed N [--json]`;
const SEED_MAX = 2 ** 31 - 1;
/** By then code is compiled and caches are full. */
const WARM_UP_SEEDS = 100;
/** A run leaves nothing behind: even one that kept a byte in ten of its events would show. */
const GROWTH_MIB_MAX = 4;

interface Arguments {
  seeds: number;
  from: number;
  /** One seed to show; null = a campaign. */
  seed: number | null;
  isJson: boolean;
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const args = readArguments(argv);
  if (typeof args === 'string') {
    process.stderr.write(`${args}\n${USAGE}\n`);
    return 2;
  }
  return args.seed === null ? campaign(args) : show(args.seed, args.isJson);
}

/** Runs seed after seed; the first that fails is named, and the others run all the same. */
async function campaign({ seeds, from, isJson }: Arguments): Promise<number> {
  const startedMs = performance.now();
  let failed = 0;
  let firstFailedSeed: number | null = null;
  let warmMib: number | null = null;
  for (let seed = from; seed < from + seeds; seed++) {
    if (seed === from + WARM_UP_SEEDS) warmMib = await liveMib();
    const result = await simulate({ seed });
    if (result.failure === null) continue;
    failed += 1;
    firstFailedSeed ??= seed;
    tell(seed, result);
  }
  const seconds = Math.round(performance.now() - startedMs) / 1_000;
  const live_mib = { after_100_seeds: warmMib, at_end: await liveMib() };
  if (isJson) answer({ seeds, failed, seconds, first_failed_seed: firstFailedSeed, live_mib });
  else process.stdout.write(`${seeds} seeds, ${failed} failed, ${seconds} s\n`);
  const grewMib = warmMib === null ? 0 : live_mib.at_end - warmMib;
  if (grewMib > GROWTH_MIB_MAX) process.stderr.write(`I11: live memory grew by ${grewMib} MiB\n`);
  return failed === 0 && grewMib <= GROWTH_MIB_MAX ? 0 : 1;
}

async function liveMib(): Promise<number> {
  const { heap, buffers } = await liveMemory();
  return Math.round(((heap + buffers) / 2 ** 20) * 10) / 10;
}

async function show(seed: number, isJson: boolean): Promise<number> {
  const startedMs = performance.now();
  const onLine = (line: string): void => void process.stderr.write(`${line}\n`);
  const moves = scenarioOf(seed);
  const result = await simulate({ seed, moves, onLine });
  if (result.failure !== null) {
    tell(seed, result);
    const shortest = await shrink(seed);
    process.stderr.write(`\nThe shortest that fails, of ${moves.length} commands:\n`);
    tell(seed, await simulate({ seed, moves: shortest, onLine }));
  }
  const failed = result.failure === null ? 0 : 1;
  const seconds = Math.round(performance.now() - startedMs) / 1_000;
  const firstFailedSeed = failed === 0 ? null : seed;
  const { traceHash: trace_hash } = result;
  if (isJson) answer({ seeds: 1, failed, seconds, first_failed_seed: firstFailedSeed, trace_hash });
  else process.stdout.write(`seed ${seed}: ${result.steps} steps, trace ${trace_hash}\n`);
  return failed;
}

function tell(seed: number, { failure, steps }: SimulationResult): void {
  if (failure === null) return;
  const { invariant, message } = failure;
  process.stderr.write(`seed ${seed}: ${invariant} does not hold, step ${steps}: ${message}\n`);
}

function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function readArguments(argv: readonly string[]): Arguments | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        seeds: { type: 'string', default: '1000' },
        from: { type: 'string', default: '1' },
        seed: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    return {
      seeds: wholeNumber('--seeds', values.seeds, 1),
      from: wholeNumber('--from', values.from, 0),
      seed: values.seed === undefined ? null : wholeNumber('--seed', values.seed, 0),
      isJson: values.json,
    };
  } catch (error) {
    return (error as Error).message;
  }
}

function wholeNumber(name: string, text: string, min: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= SEED_MAX) return number;
  throw new RangeError(`${name} must be an integer of ${min}..${SEED_MAX}, got "${text}"`);
}
