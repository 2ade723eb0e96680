/**
 * `npm run bench -- <name>|all [--smoke]`: a JSON line each on stdout, people's words on stderr.
 * `routing-quality` compares losses, not rates; it takes `--quick` (which `all` implies), and
 * `--tune` tries the peers' configurations anew.
 * Exits 1 where an answer is wrong, 2 where there is no such bench.
 */
import { parseArgs } from 'node:util';
import type { Bench } from './contest.js';
import { decideBench } from './decide.js';
import { decodeBench } from './decode.js';
import { foldBench } from './fold.js';
import { measure } from './measure.js';
import { projectBench } from './project.js';
import { accessBench, routeBench } from './route.js';
import { SERVERS, serveForBench } from './route-server.js';
import { routingQuality } from './routing-quality/main.js';
import { tunePeers } from './routing-quality/tune.js';
import { startupBench } from './startup.js';

const BENCHES: readonly Bench[] = [
  decodeBench,
  foldBench,
  projectBench,
  decideBench,
  routeBench,
  accessBench,
  startupBench,
];

const QUALITY = 'routing-quality';

process.exitCode = await main();

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      smoke: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      tune: { type: 'boolean', default: false },
    },
  });
  const [name = ''] = positionals;
  if (name === 'serve-for-bench') {
    await serveForBench(SERVERS.find((server) => server === positionals[1])!);
    return 0;
  }
  const chosen = BENCHES.filter((bench) => name === 'all' || bench.name === name);
  const isQuality = name === 'all' || name === QUALITY;
  if (chosen.length === 0 && !isQuality) {
    const names = [...BENCHES.map((bench) => bench.name), QUALITY].join(', ');
    process.stderr.write(`bench must be all or one of ${names}, got "${name}"\n`);
    return 2;
  }
  for (const bench of chosen) {
    process.stderr.write(`${bench.name} …\n`);
    const result = await measure(bench, values.smoke ? 'smoke' : 'full');
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  if (isQuality) {
    const log = (line: string): boolean => process.stderr.write(`${line}\n`);
    if (values.tune) tunePeers(log);
    const form = values.smoke ? 'smoke' : values.quick || name === 'all' ? 'quick' : 'full';
    process.stdout.write(`${JSON.stringify(routingQuality(form, log))}\n`);
  }
  return 0;
}
