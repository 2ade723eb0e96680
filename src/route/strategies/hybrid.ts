import type { Candidate } from '../candidate.js';
import { loadsOf } from '../load.js';
import { scaled, scaledObjective, termsOfObjectives } from './objectives.js';
import { type Group, keptByGroup, type Strategy, sharedUpTo } from './strategy.js';

/** What each part counts for; they sum to 1. */
const HYBRID_WEIGHTS = { failure: 0.4, latency: 0.3, cost: 0.2, load: 0.1 } as const;

/** Scores closer than this are equal: they share by weight. */
const BUFFER = 0.05;
/** Attempts in flight for a weight of 1; a smaller difference never counts whole. */
const LOAD_SPAN_MIN = 4;

/**
 * Score = 0.4·failure + 0.3·latency + 0.2·cost + 0.1·load, each from 0 (the best of the group) to 1
 * (the worst): (value − least) / (greatest − least), where the span counts at least 0.05 for the
 * probability of failure, a quarter of the least for latency and for cost, 4 for attempts in flight
 * by weight. Latency is that of `response_time`, by the same choice. Unknown is 1; what is known of
 * nobody counts nothing. Those within 0.05 of the best share by weight, the others follow by score.
 */
export const hybrid: Strategy = {
  name: 'hybrid',
  algorithm: 'hybrid/1',
  order: 'drawn',
  summary: 'By a weighted sum of failure, latency, cost and load, each scaled over the candidates.',
  score: scoreOf,
  terms: (candidate, group) => {
    const { failure, latency, cost, load } = partsOf(group).get(candidate)!;
    return [
      ...termsOfObjectives(candidate, group),
      { name: 'in_flight', value: loadsOf(group)?.get(candidate) ?? null, unit: 'attempts' },
      { name: 'failure_scaled', value: failure, unit: 'ratio' },
      { name: 'latency_scaled', value: latency, unit: 'ratio' },
      { name: 'cost_scaled', value: cost, unit: 'ratio' },
      { name: 'load_scaled', value: load, unit: 'ratio' },
    ];
  },
  tiers: (group) => sharedUpTo(BUFFER, 'above the least', group, scoreOf),
};

interface Parts {
  failure: number;
  latency: number;
  cost: number;
  load: number;
}

const partsOf = keptByGroup((group) => {
  const failure = scaledObjective(group, 'failure');
  const latency = scaledObjective(group, 'latency');
  const cost = scaledObjective(group, 'cost');
  const loads = loadsOf(group);
  const load = scaled(
    group.candidates.map((it) => (loads === null ? null : loads.get(it)! / it.weight)),
    () => LOAD_SPAN_MIN,
  );
  return new Map(
    group.candidates.map((candidate, i): [Candidate, Parts] => [
      candidate,
      { failure: failure[i]!, latency: latency[i]!, cost: cost[i]!, load: load[i]! },
    ]),
  );
});

function scoreOf(candidate: Candidate, group: Group): number {
  const { failure, latency, cost, load } = partsOf(group).get(candidate)!;
  const { failure: f, latency: t, cost: c, load: l } = HYBRID_WEIGHTS;
  return f * failure + t * latency + c * cost + l * load;
}
