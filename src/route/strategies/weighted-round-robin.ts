import { byPriority, type Strategy } from './strategy.js';

/**
 * Share = weight / Σ weights, within the lowest `priority`; the next priority only when that one is
 * used up. Weights are those of the policy, else of the catalogue (1 by default); 0 drains. The
 * shares are drawn, not counted out: replicas that share no counter still keep them together, within
 * sampling error. It reads nothing that is measured, so it does the same without data.
 */
export const weightedRoundRobin: Strategy = {
  name: 'weighted_round_robin',
  algorithm: 'weighted_round_robin/1',
  order: 'drawn',
  summary: 'By the weights of the catalogue, within the lowest priority number.',
  score: () => null,
  terms: ({ priority, weight }) => [
    { name: 'priority', value: priority, unit: 'number' },
    { name: 'weight', value: weight, unit: 'weight' },
  ],
  tiers: ({ candidates }) =>
    byPriority(candidates).map((group) => ({
      order: 'drawn' as const,
      candidates: group,
      weights: group.map(({ weight }) => weight),
    })),
};
