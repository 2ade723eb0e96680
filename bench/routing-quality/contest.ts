import { type Family, worldOf } from './families.js';
import { type Run, runWorld } from './loop.js';
import { type Measures, measuresOf } from './measures.js';
import { oracle } from './policies/baselines.js';
import type { NamedPolicy } from './policy.js';
import { meanOf } from './statistics.js';
import type { World } from './world.js';

/** Measures by policy, family and seed. */
export interface Table {
  families: readonly Family[];
  /** The oracle is not among them. */
  policies: readonly NamedPolicy[];
  /** [policy][family][seed] */
  measures: readonly (readonly (readonly Measures[])[])[];
  /** Real losses of the oracle over its expected ones. */
  realOverExpected: number;
}

/** A policy may be below the oracle by that much: what an order does to loads is not foreseen. */
const BELOW_ORACLE_MAX = 0.01;
const REAL_OVER_EXPECTED = { from: 0.95, to: 1.06 };

/** Every policy in the same worlds. Throws where an answer cannot be right. */
export function contest(
  families: readonly Family[],
  seeds: readonly number[],
  policies: readonly NamedPolicy[],
  log: (line: string) => void,
): Table {
  const ratios: number[] = [];
  const measures = policies.map(() => families.map((): Measures[] => []));
  families.forEach((family, f) => {
    for (const seed of seeds) {
      const world = worldOf(family, seed);
      const best = runWorld(world, oracle.make);
      ratios.push(meanOf(best.requests.map((it) => it.loss)) / expectedOf(best));
      policies.forEach((policy, p) => {
        const run = runWorld(world, policy.make);
        check(world, policy, run, best);
        measures[p]![f]!.push(measuresOf(world, run, best));
      });
    }
    const regrets = measures.map((it) => meanOf(it[f]!.map(({ regret }) => regret)).toFixed(1));
    log(`${family.name}: ${regrets.join(' ')}`);
  });
  const realOverExpected = meanOf(ratios);
  const { from, to } = REAL_OVER_EXPECTED;
  if (seeds.length > 1 && !(realOverExpected >= from && realOverExpected <= to)) {
    throw new Error(`losses came to ${realOverExpected} of what was expected of them`);
  }
  checkOracle(families, policies, measures);
  return { families, policies, measures, realOverExpected };
}

function expectedOf(run: Run): number {
  return meanOf(run.requests.map((it) => it.expectedLoss));
}

/** Everybody was asked the same, and shares are shares. */
function check(world: World, policy: NamedPolicy, run: Run, best: Run): void {
  const where = `${policy.name} in ${world.family} ${world.seed}`;
  if (run.requests.length !== best.requests.length)
    throw new Error(`${where}: requests are missing`);
  for (const shares of run.shares) {
    const sum = shares.reduce((a, b) => a + b, 0);
    if (Math.abs(sum - 1) > 1e-9 || shares.some((share) => share < 0)) {
      throw new Error(`${where}: the shares ${shares.join(', ')} are none`);
    }
  }
}

function checkOracle(
  families: readonly Family[],
  policies: readonly NamedPolicy[],
  measures: Table['measures'],
): void {
  policies.forEach((policy, p) => {
    families.forEach((family, f) => {
      const regret = meanOf(measures[p]![f]!.map((it) => it.regret));
      if (regret < -100 * BELOW_ORACLE_MAX) {
        throw new Error(`${policy.name} beats the oracle in ${family.name}: ${regret} %`);
      }
    });
  });
}
