import { costOfSuccess } from '../candidate.js';
import { byScore, type Strategy, termsOfCost } from './strategy.js';

/**
 * By ascending price of the request: input, cached input and output tokens of its estimate at the
 * price in force, of the tier that the input falls into; what the estimate does not say is as usual
 * for the model (30 minutes), or a plain conversation. Equal ones by expected cost of a success (see
 * `auto`). Free is 0; one whose price is unknown stands last, with `price_unknown`.
 */
export const costOptimized: Strategy = {
  name: 'cost_optimized',
  algorithm: 'cost_optimized/1',
  order: 'fixed',
  summary: 'The cheapest first, by the estimated tokens at the price in force.',
  score: (candidate) => candidate.costNanoUsd,
  terms: termsOfCost,
  tiers: ({ candidates }) => [
    {
      order: 'fixed',
      candidates: byScore(byScore(candidates, costOfSuccess), (it) => it.costNanoUsd),
    },
  ],
};
