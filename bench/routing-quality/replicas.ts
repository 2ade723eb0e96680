import { type Family, worldOf } from './families.js';
import { type Run, runWorld } from './loop.js';
import { routerPolicy } from './policies/auto.js';
import { oracle } from './policies/baselines.js';
import { bootstrap, type Interval, meanOf } from './statistics.js';
import type { World } from './world.js';

/** How several routers that are fed the same snapshots do, beside one: they should do as one does. */
export interface Replicas {
  routers: number;
  worlds: number;
  /** Mean regret with several routers less that with one, points of %, and its interval. */
  difference: number;
  interval: Interval;
  /** Part of the traffic that goes elsewhere than with one router, over a world. */
  moved: number;
  /** The same between one router and itself with other draws: what sampling alone makes. */
  movedBySampling: number;
}

const ROUTERS = 10;

export function replicasOf(families: readonly Family[], seeds: readonly number[]): Replicas {
  const found = families.map((family) => seeds.map((seed) => compare(worldOf(family, seed))));
  const all = found.flat();
  const meanOfDrawn = (drawn: readonly (readonly number[])[]): number =>
    meanOf(drawn.map((worlds, f) => meanOf(worlds.map((it) => found[f]![it]!.difference))));
  const sizes = found.map((it) => it.length);
  return {
    routers: ROUTERS,
    worlds: all.length,
    difference: meanOf(all.map((it) => it.difference)),
    interval: bootstrap(sizes, meanOfDrawn),
    moved: meanOf(all.map((it) => it.moved)),
    movedBySampling: meanOf(all.map((it) => it.movedBySampling)),
  };
}

function compare(world: World): Pick<Replicas, 'difference' | 'moved' | 'movedBySampling'> {
  const least = lossOf(runWorld(world, oracle.make, false));
  const [one, again, several] = [
    routerPolicy('auto'),
    routerPolicy('auto', 1, 1),
    routerPolicy('auto', ROUTERS, 2),
  ].map(({ make }) => runWorld(world, make)) as [Run, Run, Run];
  return {
    difference: (100 * (lossOf(several) - lossOf(one))) / least,
    moved: movedBetween(several, one),
    movedBySampling: movedBetween(again, one),
  };
}

function lossOf({ requests }: Run): number {
  return requests.reduce((sum, { expectedLoss }) => sum + expectedLoss, 0);
}

/** Half the sum of the differences of mean shares. */
function movedBetween(a: Run, b: Run): number {
  const [left, right] = [meanShares(a), meanShares(b)];
  return left.reduce((sum, share, i) => sum + Math.abs(share - right[i]!) / 2, 0);
}

function meanShares({ shares }: Run): number[] {
  return shares[0]!.map((_, i) => meanOf(shares.map((it) => it[i]!)));
}
