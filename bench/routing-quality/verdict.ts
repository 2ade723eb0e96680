import type { Table } from './contest.js';
import type { Measures } from './measures.js';
import { bootstrap, type Interval, meanOf, quantileOf } from './statistics.js';

/** What the contest comes to, as goals are set on it. Regrets are % of the oracle's loss. */
export interface Verdict {
  ours: number;
  peer: number;
  peerName: string;
  ratio: number;
  ratioInterval: Interval;
  /** Of all families but one, the greatest ratio. */
  leaveOneOut: { family: string; ratio: number; interval: Interval };
  /** The family in which ours is the most behind that family's best peer, points of regret. */
  mostBehind: { family: string; points: number; peer: string };
  /** Where it became worse at once, and where it did so over minutes. */
  leave: Times;
  /** `leave` from outcomes of any kind. */
  leaveOfAny: Times;
  leaveGradual: Times;
  back: Times;
}

export interface Times {
  count: number;
  p50: number | null;
  p90: number | null;
  /** Share within the goal. */
  within: number;
}

const LEAVE_GOAL_SECONDS = 5;
const BACK_GOAL_SECONDS = 60;

/** `ours` and `peers` are positions among the table's policies. */
export function verdictOf(table: Table, ours: number, peers: readonly number[]): Verdict {
  const families = table.families.map((_, index) => index);
  const best = bestPeer(table, peers, families);
  const reactions = table.measures[ours]!.flat().flatMap((it) => it.reactions);
  const atOnce = reactions.filter((it) => !it.isGradual);
  const back = reactions.map((it) => it.back).filter((it) => !Number.isNaN(it));
  return {
    ours: meanRegret(table, ours, families),
    peer: meanRegret(table, best, families),
    peerName: table.policies[best]!.name,
    ...ratioOf(table, ours, best, families),
    leaveOneOut: leaveOneOut(table, ours, peers, families),
    mostBehind: mostBehind(table, ours, peers, families),
    leave: leaveTimes(atOnce.map((it) => it.leave)),
    leaveOfAny: leaveTimes(atOnce.map((it) => it.leaveOfAny)),
    leaveGradual: leaveTimes(reactions.filter((it) => it.isGradual).map((it) => it.leave)),
    back: timesOf(back, BACK_GOAL_SECONDS),
  };
}

export function familyMean(
  table: Table,
  policy: number,
  family: number,
  of: (it: Measures) => number,
): number {
  return meanOf(table.measures[policy]![family]!.map(of));
}

/** Every family counts the same. */
function meanRegret(table: Table, policy: number, families: readonly number[]): number {
  return meanOf(families.map((family) => familyMean(table, policy, family, (it) => it.regret)));
}

function bestPeer(table: Table, peers: readonly number[], families: readonly number[]): number {
  const regrets = peers.map((peer) => meanRegret(table, peer, families));
  return peers[regrets.indexOf(Math.min(...regrets))]!;
}

function ratioOf(
  table: Table,
  ours: number,
  peer: number,
  families: readonly number[],
): { ratio: number; ratioInterval: Interval } {
  const sizes = families.map((family) => table.measures[ours]![family]!.length);
  const sumOf = (policy: number, drawn: readonly (readonly number[])[]): number =>
    meanOf(
      families.map((family, i) =>
        meanOf(drawn[i]!.map((world) => table.measures[policy]![family]![world]!.regret)),
      ),
    );
  return {
    ratio: meanRegret(table, ours, families) / meanRegret(table, peer, families),
    // The same worlds for both: their luck is the same.
    ratioInterval: bootstrap(sizes, (drawn) => sumOf(ours, drawn) / sumOf(peer, drawn)),
  };
}

function leaveOneOut(
  table: Table,
  ours: number,
  peers: readonly number[],
  families: readonly number[],
): Verdict['leaveOneOut'] {
  const all = families.map((left) => {
    const others = families.filter((family) => family !== left);
    const { ratio, ratioInterval } = ratioOf(table, ours, bestPeer(table, peers, others), others);
    return { family: table.families[left]!.name, ratio, interval: ratioInterval };
  });
  return all.reduce((worst, it) => (it.ratio > worst.ratio ? it : worst));
}

function mostBehind(
  table: Table,
  ours: number,
  peers: readonly number[],
  families: readonly number[],
): Verdict['mostBehind'] {
  const all = families.map((family) => {
    const best = bestPeer(table, peers, [family]);
    const points = meanRegret(table, ours, [family]) - meanRegret(table, best, [family]);
    return { family: table.families[family]!.name, points, peer: table.policies[best]!.name };
  });
  return all.reduce((worst, it) => (it.points > worst.points ? it : worst));
}

const leaveTimes = (seconds: readonly (number | null)[]): Times =>
  timesOf(seconds, LEAVE_GOAL_SECONDS);

function timesOf(seconds: readonly (number | null)[], goal: number): Times {
  const never = Number.POSITIVE_INFINITY;
  const known = seconds.map((it) => it ?? never);
  const finite = (value: number | null): number | null => (value === never ? null : value);
  return {
    count: known.length,
    p50: finite(quantileOf(known, 0.5)),
    p90: finite(quantileOf(known, 0.9)),
    within: known.filter((it) => it <= goal).length / Math.max(1, known.length),
  };
}
