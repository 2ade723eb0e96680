import type { Candidate } from '../candidate.js';
import { scaledObjective, termsOfObjectives } from './objectives.js';
import { byScore, type Group, keptByGroup, type Strategy } from './strategy.js';

/** A smaller difference than this part of the span is none: noise does not make a front. */
const TOLERANCE = 0.05;

/**
 * By fronts of failure, latency and cost, each scaled over the group from 0 (the best) to 1 (the
 * worst) as in `hybrid`. One dominates another if it is nowhere worse and somewhere better by 0.05;
 * front 0 holds those that nobody dominates, front 1 those that only front 0 does, and so on.
 * Within a front by distance to the best of each: score = front + √(failure² + latency² + cost²) / 2,
 * so the first is the best compromise, and no front passes the one before it. Unknown is 1.
 */
export const pareto: Strategy = {
  name: 'pareto',
  algorithm: 'pareto/1',
  order: 'fixed',
  summary: 'By fronts of cost, latency and success; within one the nearest to the best of each.',
  score: scoreOf,
  terms: (candidate, group) => {
    const { front, point } = placesOf(group).get(candidate)!;
    return [
      ...termsOfObjectives(candidate, group),
      { name: 'failure_scaled', value: point[0], unit: 'ratio' },
      { name: 'latency_scaled', value: point[1], unit: 'ratio' },
      { name: 'cost_scaled', value: point[2], unit: 'ratio' },
      { name: 'front', value: front, unit: 'number' },
    ];
  },
  tiers: (group) => [
    { order: 'fixed', candidates: byScore(group.candidates, (it) => scoreOf(it, group)) },
  ],
};

export type Point = readonly [failure: number, latency: number, cost: number];

interface Place {
  point: Point;
  front: number;
}

const placesOf = keptByGroup((group) => {
  const failure = scaledObjective(group, 'failure');
  const latency = scaledObjective(group, 'latency');
  const cost = scaledObjective(group, 'cost');
  const points = group.candidates.map((_, i): Point => [failure[i]!, latency[i]!, cost[i]!]);
  const fronts = frontsOf(points);
  return new Map(
    group.candidates.map((it, i): [Candidate, Place] => [
      it,
      { point: points[i]!, front: fronts[i]! },
    ]),
  );
});

function scoreOf(candidate: Candidate, group: Group): number {
  const { point, front } = placesOf(group).get(candidate)!;
  const [failure, latency, cost] = point;
  return front + Math.sqrt(failure * failure + latency * latency + cost * cost) / 2;
}

/** The front of each point. Dominance has no cycles, so that every pass finds at least one. */
export function frontsOf(points: readonly Point[]): number[] {
  const fronts = points.map(() => -1);
  for (let front = 0; fronts.includes(-1); front++) {
    const left = points.flatMap((_, i) => (fronts[i] === -1 ? [i] : []));
    const undominated = left.filter(
      (i) => !left.some((other) => dominates(points[other]!, points[i]!)),
    );
    for (const i of undominated) fronts[i] = front;
  }
  return fronts;
}

function dominates(a: Point, b: Point): boolean {
  if (a[0] > b[0] || a[1] > b[1] || a[2] > b[2]) return false;
  return a[0] + TOLERANCE <= b[0] || a[1] + TOLERANCE <= b[1] || a[2] + TOLERANCE <= b[2];
}
