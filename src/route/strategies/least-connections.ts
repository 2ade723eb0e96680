import type { Candidate } from '../candidate.js';
import { loadsOf } from '../load.js';
import { byPriority, type Group, type Strategy, type Tier } from './strategy.js';

/**
 * The less busy of two that are drawn by weight, within the lowest `priority`: with p = weight /
 * Σ weights and load = attempts in flight / weight, share = p · (p + 2·Σ p of the busier ones + Σ p
 * of the equally busy others). A share is never above twice its weight's, so that routers with one
 * and the same gauges do not all go to the same one until the next gauges come. Gauges are read as
 * of the newest 15 s, and where anybody has one, one without has none in flight; without any gauge
 * shares are those of the weights, and the answer says `no_metrics`.
 */
export const leastConnections: Strategy = {
  name: 'least_connections',
  algorithm: 'least_connections/1',
  order: 'drawn',
  summary: 'Of two that are drawn by weight the one with fewer attempts in flight for its weight.',
  score: loadOf,
  terms: (candidate, group) => [
    { name: 'in_flight', value: loadsOf(group)?.get(candidate) ?? null, unit: 'attempts' },
    { name: 'weight', value: candidate.weight, unit: 'weight' },
    { name: 'priority', value: candidate.priority, unit: 'number' },
  ],
  tiers: (group) =>
    byPriority(group.candidates).map((candidates): Tier => {
      const loads = candidates.map((candidate) => loadOf(candidate, group) ?? 0);
      return { order: 'drawn', candidates, weights: sharesOf(candidates, loads) };
    }),
  isBlind: (group) => loadsOf(group) === null,
};

/** Attempts in flight for a weight of 1. */
function loadOf(candidate: Candidate, group: Group): number | null {
  const inFlight = loadsOf(group)?.get(candidate);
  return inFlight === undefined ? null : inFlight / candidate.weight;
}

/** Of equal loads the formula gives the parts of the weights themselves. */
function sharesOf(candidates: readonly Candidate[], loads: readonly number[]): number[] {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  const parts = candidates.map(({ weight }) => weight / total);
  return parts.map((part, i) => {
    let beaten = part;
    for (let j = 0; j < parts.length; j++) {
      if (j === i || loads[j]! < loads[i]!) continue;
      beaten += loads[j]! > loads[i]! ? 2 * parts[j]! : parts[j]!;
    }
    return part * beaten;
  });
}
