import { expect, it } from 'vitest';
import { Agenda } from '../../../bench/routing-quality/agenda.js';
import { chance, diceOf } from '../../../bench/routing-quality/chance.js';
import { FAMILIES, worldOf } from '../../../bench/routing-quality/families.js';
import { runWorld } from '../../../bench/routing-quality/loop.js';
import { routerPolicy } from '../../../bench/routing-quality/policies/auto.js';
import { oracle, uniform } from '../../../bench/routing-quality/policies/baselines.js';
import { replicasOf } from '../../../bench/routing-quality/replicas.js';
import { conditionAt } from '../../../bench/routing-quality/world.js';

it.each(FAMILIES)('a world of $name follows from its seed alone', (family) => {
  const world = worldOf(family, 5, 4);
  expect(worldOf(family, 5, 4)).toEqual(world);
  expect(worldOf(family, 6, 4)).not.toEqual(world);
  const times = world.arrivals.map(({ atMs }) => atMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.at(-1)).toBeLessThan(world.endMs);
});

it('what happens to an offering begins and ends when it should', () => {
  const spike = FAMILIES.find(({ name }) => name === 'spike')!;
  const world = worldOf(spike, 3);
  const { fromMs, toMs, affected } = world.event!;
  const offering = world.offerings[affected[0]!]!;
  const failuresAt = (atMs: number): number => conditionAt(offering, atMs).failureRatio;
  expect(failuresAt(fromMs - 1)).toBe(offering.failureRatio);
  expect(failuresAt(fromMs)).toBeGreaterThanOrEqual(0.4);
  expect(failuresAt(toMs)).toBe(offering.failureRatio);
});

it('draws are the same for the same numbers, and spread over [0, 1)', () => {
  expect(chance(1, 2, 3, 4)).toBe(chance(1, 2, 3, 4));
  const dice = diceOf(9, 1);
  const draws = Array.from({ length: 10_000 }, () => dice.next());
  const tenths = Array.from({ length: 10 }, (_, i) =>
    draws.filter((it) => Math.floor(it * 10) === i),
  );
  for (const tenth of tenths) expect(Math.abs(tenth.length - 1_000)).toBeLessThan(130);
});

it('the agenda keeps the order of time, then of adding', () => {
  const agenda = new Agenda<string>();
  const dice = diceOf(4, 1);
  const added = Array.from({ length: 200 }, (_, i) => ({ atMs: dice.whole(0, 30), name: `${i}` }));
  for (const { atMs, name } of added) agenda.add(atMs, name);
  const taken = added.map(() => agenda.take());
  expect(taken).toEqual(added.toSorted((a, b) => a.atMs - b.atMs).map(({ name }) => name));
  expect(agenda.nextMs).toBe(Number.POSITIVE_INFINITY);
});

it('ten routers that are fed the same snapshots spread as one does', () => {
  const calm = FAMILIES.filter(({ name }) => name === 'calm');
  const { routers, difference, moved, movedBySampling } = replicasOf(calm, [4]);
  expect(routers).toBe(10);
  expect(Math.abs(difference)).toBeLessThan(1);
  expect(moved).toBeLessThan(movedBySampling + 0.05);
}, 60_000);

it('a run is the same a second time, and nobody does better than the oracle', () => {
  const world = worldOf(FAMILIES.find(({ name }) => name === 'step')!, 2, 3);
  const lossOf = (make: typeof oracle.make): number =>
    runWorld(world, make).requests.reduce((sum, it) => sum + it.expectedLoss, 0);
  const ours = lossOf(routerPolicy('auto').make);
  expect(lossOf(routerPolicy('auto').make)).toBe(ours);
  const least = lossOf(oracle.make);
  expect(least).toBeLessThan(ours);
  expect(ours).toBeLessThan(lossOf(uniform.make));
}, 60_000);
