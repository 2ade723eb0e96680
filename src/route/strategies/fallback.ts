import { costOfSuccess } from '../candidate.js';
import { byPriority, byScore, type Strategy, termsOfCost } from './strategy.js';

/**
 * A fixed list: by ascending `priority` of the catalogue (0 by default) or by tier of the policy;
 * within one by ascending cost of a success (see `auto`), estimated from 30 minutes, the newer the
 * more. One that was never measured has the figures of its provider and model.
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
