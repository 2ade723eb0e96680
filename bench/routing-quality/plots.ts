import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';
import type { Table } from './contest.js';
import { FAMILIES, worldOf } from './families.js';
import { runWorld } from './loop.js';
import { oracle } from './policies/baselines.js';
import type { NamedPolicy } from './policy.js';
import { bars, lines } from './svg.js';
import { familyMean } from './verdict.js';

const FOLDER = join(packageRoot, 'bench', 'results');
const REGRET_MAX = 50;

/** Worlds in which shares are drawn over time. */
const SHOWN = ['spike', 'hang'];

/** Writes the plots of a contest; answers their file names. */
export function writePlots(table: Table, shown: readonly number[], seed: number): string[] {
  mkdirSync(FOLDER, { recursive: true });
  const labels = table.families.map(({ name }) => name);
  const series = shown.map((policy) => ({
    name: table.policies[policy]!.name,
    values: labels.map((_, family) => familyMean(table, policy, family, (it) => it.regret)),
  }));
  const title = 'Mean regret, % of the oracle’s loss (less is better)';
  const plots = new Map([['routing-quality-regret.svg', bars(title, labels, series, REGRET_MAX)]]);
  const policies = [shown[0]!, shown.at(-1)!].map((policy) => table.policies[policy]!);
  for (const name of SHOWN) {
    plots.set(`routing-quality-${name}.svg`, sharesOver(name, seed, [oracle, ...policies]));
  }
  for (const [name, content] of plots) writeFileSync(join(FOLDER, name), content);
  return [...plots.keys()];
}

function sharesOver(name: string, seed: number, policies: readonly NamedPolicy[]): string {
  const world = worldOf(FAMILIES.find((it) => it.name === name)!, seed);
  const { fromMs, toMs, affected } = world.event!;
  const series = policies.map((policy) => ({
    name: policy.name,
    values: runWorld(world, policy.make).shares.map((shares) => shares[affected[0]!]!),
  }));
  const shaded = { from: fromMs / 1000, to: toMs / 1000 };
  return lines(`Share of the affected offering: ${name}, seed ${seed}`, series, shaded);
}
