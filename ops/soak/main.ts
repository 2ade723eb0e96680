/**
 * `npm run test:soak -- --minutes N [--seed S]`: the product's processes on a real stack, under
 * continuous load, and faults from a seed, each followed by a recovery; then everything is counted
 * again, also by a reader that is none of ours. The last line of stdout is one JSON object; exits 1
 * where something was lost, counted twice, or did not come back.
 */
import { parseArgs } from 'node:util';
import { createRandom } from '../simulate/random.js';
import { createProgress } from '../stack/progress.js';
import { FAULTS, type Fault } from './alphabet.js';
import { runCampaign } from './campaign.js';
import { reportOf } from './report.js';
import { judge } from './verdict.js';
import { openWorld } from './world.js';

const USAGE = `usage: npm run test:soak -- [--minutes N] [--faults N] [--seed S] [--rate N]
       [--kinds KIND,…] [--list]`;
const HOLD_MS_MAX = 8_000;
const WARM_UP_MS = 5_000;

interface Arguments {
  minutes: number;
  faultsMax: number;
  seed: number;
  rate: number;
  faults: readonly Fault[];
}

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const args = readArguments(argv);
  if (typeof args === 'string') {
    process.stderr.write(`${args}\n${USAGE}\n`);
    return 2;
  }
  const { seed, rate, minutes, faults, faultsMax } = args;
  const startedMs = performance.now();
  const progress = createProgress((line) => process.stderr.write(line));
  progress.say(`seed ${seed}`);
  const world = await openWorld({ environment: process.env, progress, seed, rate });
  try {
    const campaign = await runCampaign(world, {
      random: createRandom(seed),
      faults,
      faultsMax,
      durationMs: minutes * 60_000,
      holdMsMax: HOLD_MS_MAX,
      warmUpMs: WARM_UP_MS,
      paceMs: null,
      say: (line) =>
        progress.say(`${Math.round((performance.now() - startedMs) / 1000)} s  ${line}`),
    });
    const verdict = await judge(world);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    const report = reportOf(world, campaign, verdict);
    for (const failure of report.failures) progress.say(failure);
    process.stdout.write(`${JSON.stringify({ seed, minutes, rate, seconds, ...report })}\n`);
    return report.failed === 0 ? 0 : 1;
  } finally {
    await world.close();
  }
}

function readArguments(argv: readonly string[]): Arguments | string {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        minutes: { type: 'string', default: '10' },
        faults: { type: 'string', default: '1000000' },
        seed: { type: 'string', default: String(1 + (Date.now() % 1_000_000)) },
        rate: { type: 'string', default: '100' },
        kinds: { type: 'string' },
        list: { type: 'boolean', default: false },
      },
    });
    if (values.list) return FAULTS.map(({ kind }) => kind).join('\n');
    return {
      minutes: wholeNumber('--minutes', values.minutes),
      faultsMax: wholeNumber('--faults', values.faults),
      seed: wholeNumber('--seed', values.seed),
      rate: wholeNumber('--rate', values.rate),
      faults: values.kinds === undefined ? FAULTS : values.kinds.split(',').map(faultNamed),
    };
  } catch (error) {
    return (error as Error).message;
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new RangeError(`${name} must be a whole number above 0, got "${text}"`);
}

function faultNamed(kind: string): Fault {
  const fault = FAULTS.find((candidate) => candidate.kind === kind);
  if (fault !== undefined) return fault;
  throw new RangeError(`--kinds must be of ${FAULTS.map((each) => each.kind).join(', ')}`);
}
