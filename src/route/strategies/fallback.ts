import { costOfSuccess } from '../candidate.js';
import { byPriority, byScore, type Strategy, termsOfCost } from './strategy.js';

/**
 * A fixed list: by ascending `priority` of the catalogue, within one priority by ascending cost of
 * a success, (price + v·E[time]) / p (see `auto`).
 */
export const fallback: Strategy = {
  name: 'fallback',
  algorithm: 'fallback/1',
  order: 'fixed',
  summary: 'By priority, the lowest number first; within one by expected cost of a success.',
  score: costOfSuccess,
  terms: (candidate) => [
    { name: 'priority', value: candidate.priority, unit: 'number' },
    ...termsOfCost(candidate),
  ],
  tiers: ({ candidates }) =>
    byPriority(candidates).map((group) => ({
      order: 'fixed' as const,
      candidates: byScore(group, costOfSuccess),
    })),
};
