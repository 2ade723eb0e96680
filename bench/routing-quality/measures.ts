import type { Run, SeenTime } from './loop.js';
import { meanOf, quantileOf } from './statistics.js';
import type { World } from './world.js';

/** What a policy did in a world, against the oracle in the same world. */
export interface Measures {
  /** Loss beyond the oracle's, as % of it. */
  regret: number;
  /** The same of the worst minute, as % of the oracle's mean minute. */
  worstMinute: number;
  /** % of the requests that nobody answered. */
  unanswered: number;
  /** % of the requests whose first attempt failed. */
  failedFirst: number;
  durationMsP99: number;
  /** How much of the traffic changed hands, in whole traffics an hour. */
  variation: number;
  /** Leaves of an offering that the oracle stays with, and for how long it could have been left. */
  falseLeaves: number;
  offeringDays: number;
  reactions: Reaction[];
}

/** How a policy left an offering that became worse, and came back. Seconds; null = it did not. */
export interface Reaction {
  /**
   * From the 8th outcome that came out otherwise for what happened, of attempts that began when the
   * oracle had left, or the first overdue gauge of them, to half the share; 0 = before it.
   */
  leave: number | null;
  /** The same from the 8th outcome of any kind: of calls of which some hang, those that do not. */
  leaveOfAny: number | null;
  /** From the end of the event to half the share; NaN = the event did not end in time. */
  back: number | null;
  /** The event grew over minutes: at first the oracle gains nothing by leaving. */
  isGradual: boolean;
}

const MINUTE_MS = 60_000;
/** An offering with less is not left, it is not used. */
const SHARE_MIN = 0.2;
const AFFECTED_OUTCOMES = 8;

export function measuresOf(world: World, run: Run, oracle: Run): Measures {
  const loss = run.requests.map(({ expectedLoss }) => expectedLoss);
  const least = oracle.requests.map(({ expectedLoss }) => expectedLoss);
  const count = run.requests.length;
  const { falseLeaves, offeringDays } = falseLeavesOf(world, run, oracle);
  return {
    regret: (meanOf(loss) / meanOf(least) - 1) * 100,
    worstMinute: worstMinuteOf(world, run, loss, least),
    unanswered: (run.requests.filter((it) => !it.isAnswered).length / count) * 100,
    failedFirst: (run.requests.filter((it) => it.attempts > 1).length / count) * 100,
    durationMsP99: quantileOf(
      run.requests.map((it) => it.durationMs),
      0.99,
    )!,
    variation: variationOf(world, run),
    falseLeaves,
    offeringDays,
    reactions: reactionsOf(world, run, oracle),
  };
}

function worstMinuteOf(
  world: World,
  { requests }: Run,
  loss: readonly number[],
  least: readonly number[],
): number {
  const minutes = Math.ceil((world.endMs - world.warmUpMs) / MINUTE_MS);
  const beyond = new Array<number>(minutes).fill(0);
  requests.forEach(({ atMs }, i) => {
    beyond[Math.floor((atMs - world.warmUpMs) / MINUTE_MS)]! += loss[i]! - least[i]!;
  });
  const meanMinute = (meanOf(least) * least.length) / minutes;
  return (Math.max(...beyond) / meanMinute) * 100;
}

/** Half the sum of the changes of shares from one ten seconds to the next. */
function variationOf(world: World, run: Run): number {
  let sum = 0;
  let before: number[] | null = null;
  const firstSecond = world.warmUpMs / 1000;
  for (let from = firstSecond; from + 10 <= run.shares.length; from += 10) {
    const shares = meanShares(run, from, from + 10);
    if (before !== null) {
      for (let i = 0; i < shares.length; i++) sum += Math.abs(shares[i]! - before[i]!) / 2;
    }
    before = shares;
  }
  return sum / ((run.shares.length - firstSecond) / 3_600);
}

function meanShares({ shares }: Run, from: number, to: number): number[] {
  const sums = shares[0]!.map(() => 0);
  for (let at = from; at < to; at++) {
    for (let i = 0; i < sums.length; i++) sums[i]! += shares[at]![i]!;
  }
  return sums.map((sum) => sum / (to - from));
}

/**
 * A leave: over ten seconds less than half of the mean of the minute before, which was at least a
 * fifth. It is false where the oracle stays: where it gives the offering at least a fifth, and no
 * less than in that minute.
 */
function falseLeavesOf(
  world: World,
  run: Run,
  oracle: Run,
): Pick<Measures, 'falseLeaves' | 'offeringDays'> {
  let falseLeaves = 0;
  let seconds = 0;
  const usable = world.offerings.map(() => true);
  for (let at = world.warmUpMs / 1000 + 60; at + 10 <= run.shares.length; at += 10) {
    const [before, now] = [meanShares(run, at - 60, at), meanShares(run, at, at + 10)];
    const [bestBefore, bestNow] = [
      meanShares(oracle, at - 60, at),
      meanShares(oracle, at, at + 10),
    ];
    for (let i = 0; i < usable.length; i++) {
      seconds += 10;
      if (now[i]! >= 0.75 * before[i]!) usable[i] = true;
      if (!usable[i] || before[i]! < SHARE_MIN || now[i]! >= before[i]! / 2) continue;
      usable[i] = false;
      if (bestNow[i]! >= Math.max(SHARE_MIN, bestBefore[i]!)) falseLeaves += 1;
    }
  }
  return { falseLeaves, offeringDays: seconds / 86_400 };
}

function reactionsOf(world: World, run: Run, oracle: Run): Reaction[] {
  const { event } = world;
  if (event === null) return [];
  const second = Math.ceil(event.fromMs / 1000);
  const endSecond = Math.min(run.shares.length, Math.ceil(event.toMs / 1000));
  return event.affected.flatMap((index) => {
    const mean = (of: Run, from: number, to: number): number => meanShares(of, from, to)[index]!;
    const before = mean(run, second - 30, second);
    const { changes } = world.offerings[index]!;
    const isGradual = changes.some((it) => it.fullMs > it.fromMs);
    const isLeft = mean(oracle, second, endSecond) < mean(oracle, second - 30, second) / 2;
    if (before < SHARE_MIN || !isLeft) return [];
    const bestBefore = mean(oracle, second - 30, second);
    const hasLeft = (shares: readonly number[]): boolean => shares[index]! <= bestBefore / 2;
    const oracleLeft = firstSecond(oracle, second, endSecond, hasLeft) ?? second;
    const leftMs = Math.max(event.fromMs, (oracleLeft - 1) * 1000);
    const left = firstSecond(run, second, endSecond, (shares) => shares[index]! <= before / 2);
    const since = (seenMs: number) => (left === null ? null : Math.max(0, left - seenMs / 1000));
    const leave = since(noticeableMs(run, index, leftMs, (it) => it.isAffected));
    const leaveOfAny = since(noticeableMs(run, index, leftMs, () => true));
    if (event.toMs >= world.endMs - MINUTE_MS || left === null)
      return [{ leave, leaveOfAny, back: Number.NaN, isGradual }];
    const isBack = (shares: readonly number[]): boolean => shares[index]! >= before / 2;
    const back = firstSecond(run, endSecond, run.shares.length, isBack);
    const backSeconds = back === null ? null : back - event.toMs / 1000;
    return [{ leave, leaveOfAny, back: backSeconds, isGradual }];
  });
}

/**
 * When the 8th outcome that says so, of an attempt that began since then, or an overdue gauge, was
 * seen; Infinity where too few were sent there.
 */
function noticeableMs(
  run: Run,
  index: number,
  fromMs: number,
  saysSo: (it: SeenTime) => boolean,
): number {
  const since = run.seen.filter((it) => it.offering === index && it.startedMs >= fromMs);
  const eighth = since.filter(saysSo)[AFFECTED_OUTCOMES - 1]?.seenMs ?? Number.POSITIVE_INFINITY;
  const overdue = run.overdueSeenMs[index] ?? Number.POSITIVE_INFINITY;
  return Math.min(eighth, Math.max(fromMs, overdue));
}

function firstSecond(
  run: Run,
  from: number,
  to: number,
  holds: (shares: readonly number[]) => boolean,
): number | null {
  for (let at = from; at < to; at++) if (holds(run.shares[at]!)) return at + 1;
  return null;
}
