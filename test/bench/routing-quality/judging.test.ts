import { expect, it } from 'vitest';
import { diceOf } from '../../../bench/routing-quality/chance.js';
import type { Table } from '../../../bench/routing-quality/contest.js';
import { FAMILIES, worldOf } from '../../../bench/routing-quality/families.js';
import type { Run } from '../../../bench/routing-quality/loop.js';
import { type Measures, measuresOf } from '../../../bench/routing-quality/measures.js';
import { leastLoss, uniform } from '../../../bench/routing-quality/policies/baselines.js';
import { PEERS } from '../../../bench/routing-quality/policies/peers.js';
import { bootstrap, quantileOf } from '../../../bench/routing-quality/statistics.js';
import { lossOf, Truth, truncated } from '../../../bench/routing-quality/truth.js';
import { tunedPeers } from '../../../bench/routing-quality/tune.js';
import { verdictOf } from '../../../bench/routing-quality/verdict.js';

const TYPICAL = { atMs: 0, inputTokens: 1_000, outputTokens: 150 };

it('the oracle’s order has the least expected loss of all orders', () => {
  const expectedOf = (success: number, cost: number) => ({ success, cost, costToAll: cost });
  const choices = [
    { index: 0, expected: expectedOf(0.5, 1e6) },
    { index: 1, expected: expectedOf(0.99, 3e6) },
    { index: 2, expected: expectedOf(0.9, 9e6) },
  ];
  // Half as likely at a third of the price: worth trying first.
  expect(leastLoss(choices)).toEqual([0, 1, 2]);
  const [a, b, c] = choices.map(({ expected }) => expected) as [never, never, never];
  expect(lossOf([a, b, c])).toBeLessThan(lossOf([b, a, c]));
  expect(lossOf([a])).toBeCloseTo(1e6 + 0.5 * 30e6);
});

it('what is expected of an attempt is what attempts come to on average', () => {
  const world = worldOf(FAMILIES.find(({ name }) => name === 'hang')!, 4);
  const { fromMs, affected } = world.event!;
  for (const atMs of [fromMs - 1, fromMs + 1]) {
    const truth = new Truth(world);
    const expected = truth.expect(affected[0]!, atMs, TYPICAL);
    const results = Array.from({ length: 4_000 }, (_, request) => {
      const result = truth.begin(affected[0]!, atMs, request, TYPICAL);
      truth.end(affected[0]!);
      return result;
    });
    const success = results.filter((it) => it.status === 'success').length / results.length;
    const losses = results.map((it) => it.durationMs * 1_000 + it.costNanoUsd);
    const mean = losses.reduce((a, b) => a + b, 0) / losses.length;
    expect(Math.abs(success - expected.success)).toBeLessThan(0.03);
    expect(Math.abs(mean / expected.cost - 1)).toBeLessThan(0.06);
  }
});

it('a time that is cut at a minute has a lower mean, and is in time less often', () => {
  expect(truncated(1_000, 0.3).inTime).toBeCloseTo(1, 6);
  expect(truncated(1_000, 0.3).meanMs).toBeCloseTo(1_000 * Math.exp(0.045), 0);
  const { inTime, meanMs } = truncated(60_000, 0.3);
  expect(inTime).toBeCloseTo(0.5, 6);
  expect(meanMs).toBeLessThan(60_000);
});

it('bootstrap intervals of a mean hold it about 95 times in 100', () => {
  const dice = diceOf(8, 1);
  let held = 0;
  for (let trial = 0; trial < 100; trial++) {
    const values = Array.from({ length: 40 }, () => dice.normal());
    const mean = (drawn: readonly number[]) =>
      drawn.reduce((sum, at) => sum + values[at]!, 0) / drawn.length;
    const { low, high } = bootstrap([40], ([drawn]) => mean(drawn!), trial);
    if (low <= 0 && high >= 0) held += 1;
  }
  expect(held).toBeGreaterThanOrEqual(88);
  expect(held).toBeLessThan(100);
});

it('quantiles are of the nearest rank', () => {
  expect(quantileOf([], 0.5)).toBeNull();
  expect(quantileOf([3, 1, 2, 4], 0.5)).toBe(2);
  expect(quantileOf([3, 1, 2, 4], 0.99)).toBe(4);
});

it('every peer has at least 30 configurations, among them the tuned one', () => {
  for (const { configurations } of PEERS) expect(configurations.length).toBeGreaterThanOrEqual(30);
  expect(tunedPeers()).toHaveLength(PEERS.length);
});

it('leaving an offering and coming back are timed from the moment they could be seen', () => {
  const family = FAMILIES.find(({ name }) => name === 'spike')!;
  const world = worldOf(family, 1);
  const index = world.event!.affected[0]!;
  const other = (index + 1) % world.offerings.length;
  const { fromMs, toMs } = world.event!;
  const runOf = (leaveMs: number, backMs: number): Run => ({
    requests: [{ atMs: 0, expectedLoss: 1, loss: 1, durationMs: 1, isAnswered: true, attempts: 1 }],
    shares: Array.from({ length: world.endMs / 1000 }, (_, second) => {
      const atMs = second * 1000;
      const isAway = atMs >= leaveMs && atMs < backMs;
      return world.offerings.map((_it, i) => (i === (isAway ? other : index) ? 1 : 0));
    }),
    // Eight that began soon after the event, eight of half a minute later; the first of each eight
    // came out as ever, and one more says so two seconds later.
    seen: Array.from({ length: 18 }, (_, i) => {
      const [half, of] = [i < 9 ? 0 : 30_000, i % 9];
      const seenMs = fromMs + half + (of === 8 ? 4_000 : 2_000);
      const startedMs = fromMs + half + 1_000 + of;
      return { offering: index, startedMs, seenMs, isAffected: of !== 0 };
    }),
    overdueSeenMs: world.offerings.map(() => null),
  });
  const { reactions } = measuresOf(
    world,
    runOf(fromMs + 6_000, toMs + 30_000),
    runOf(fromMs, toMs),
  );
  expect(reactions).toHaveLength(1);
  expect(reactions[0]!.leave).toBeGreaterThan(1);
  expect(reactions[0]!.leave).toBeLessThan(4);
  expect(reactions[0]!.leaveOfAny! - reactions[0]!.leave!).toBeCloseTo(2, 6);
  expect(Math.abs(reactions[0]!.back! - 30)).toBeLessThan(2);
  // What was affected before the oracle left gives no reason to leave.
  const late = measuresOf(
    world,
    runOf(fromMs + 36_000, toMs),
    runOf(fromMs + 30_000, toMs),
  ).reactions;
  expect(late[0]!.leave).toBeGreaterThan(1);
  expect(late[0]!.leave).toBeLessThan(4);
});

it('the verdict compares with the peer that is best over all, and in each family', () => {
  const measures = (regret: number) => [{ regret, reactions: [] } as unknown as Measures];
  const table: Table = {
    families: FAMILIES.slice(0, 2),
    policies: ['ours', 'a', 'b'].map((name) => ({ ...uniform, name })),
    measures: [
      [measures(1), measures(3)],
      [measures(2), measures(4)],
      [measures(0.5), measures(9)],
    ],
    realOverExpected: 1,
  };
  const verdict = verdictOf(table, 0, [1, 2]);
  expect(verdict).toMatchObject({ ours: 2, peer: 3, peerName: 'a' });
  expect(verdict.ratio).toBeCloseTo(2 / 3);
  expect(verdict.mostBehind).toMatchObject({ family: 'calm', points: 0.5, peer: 'b' });
  expect(verdict.leaveOneOut).toMatchObject({ family: 'spike', ratio: 2 });
});

it('an attempt is affected where it comes out otherwise than without the change', () => {
  const world = worldOf(FAMILIES.find(({ name }) => name === 'hang')!, 4);
  const index = world.event!.affected[0]!;
  const beginAll = (atMs: number) => {
    const truth = new Truth(world);
    return Array.from({ length: 500 }, (_, request) => truth.begin(index, atMs, request, TYPICAL));
  };
  const before = beginAll(world.event!.fromMs - 1);
  const during = beginAll(world.event!.fromMs + 1);
  expect(before.some((it) => it.isAffected)).toBe(false);
  expect(during.some((it) => it.isAffected)).toBe(true);
  during.forEach((it, request) => {
    const { status, durationMs } = before[request]!;
    const isOther = it.status !== status || it.durationMs !== durationMs;
    expect(it.isAffected).toBe(isOther);
  });
});
