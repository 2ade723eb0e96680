import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';
import { FAMILIES, worldOf } from './families.js';
import { runWorld } from './loop.js';
import { oracle } from './policies/baselines.js';
import { PEERS } from './policies/peers.js';
import type { NamedPolicy } from './policy.js';
import { meanOf } from './statistics.js';
import type { World } from './world.js';

const PATH = join(packageRoot, 'bench', 'routing-quality', 'tuned.json');

/** Training seeds are fixed; test seeds are never below this. */
const TRAINING_SEEDS = [1, 2, 3];

/** By the name of the peer: its best settings on the training seeds, and their mean regret there. */
type Tuned = Record<string, { settings: Record<string, unknown>; regret: number; tried: number }>;

/** The tuned policy of each peer. */
export function tunedPeers(): NamedPolicy[] {
  const tuned = JSON.parse(readFileSync(PATH, 'utf8')) as Tuned;
  return PEERS.map(({ name, configurations }) => {
    const wanted = JSON.stringify(tuned[name]!.settings);
    const found = configurations.find(({ settings }) => JSON.stringify(settings) === wanted);
    if (found === undefined) throw new Error(`${PATH}: ${wanted} is no configuration of ${name}`);
    return found;
  });
}

/** Tries every configuration of every peer on the training seeds, and writes the best ones. */
export function tunePeers(log: (line: string) => void): void {
  const families = FAMILIES.filter(({ isHeldOut }) => !isHeldOut);
  const worlds = families.flatMap((family) => TRAINING_SEEDS.map((seed) => worldOf(family, seed)));
  const least = worlds.map((world) => meanLoss(world, oracle));
  const tuned: Tuned = {};
  for (const { name, configurations } of PEERS) {
    for (const configuration of configurations) {
      const regrets = worlds.map((world, i) => meanLoss(world, configuration) / least[i]! - 1);
      const regret = Math.round(meanOf(regrets) * 1e4) / 100;
      log(`${name}: ${regret} % with ${JSON.stringify(configuration.settings)}`);
      if (regret >= (tuned[name]?.regret ?? Number.POSITIVE_INFINITY)) continue;
      tuned[name] = { settings: configuration.settings, regret, tried: configurations.length };
    }
  }
  writeFileSync(PATH, `${JSON.stringify(tuned, null, 2)}\n`);
}

function meanLoss(world: World, policy: NamedPolicy): number {
  return meanOf(runWorld(world, policy.make, false).requests.map((it) => it.expectedLoss));
}
