import { byScore, type Strategy } from './strategy.js';

/**
 * By ascending mean duration of an answer of the estimated size, reference · 2^(pace / 8); one that
 * was never measured has the pace of its model and provider, not none.
 */
export const responseTime: Strategy = {
  name: 'response_time',
  algorithm: 'response_time/1',
  order: 'fixed',
  summary: 'The fastest first, by mean duration of an answer of the estimated size.',
  score: (candidate) => candidate.durationMs,
  terms: ({ durationMs }) => [{ name: 'duration_mean', value: durationMs, unit: 'ms' }],
  tiers: ({ candidates }) => [
    { order: 'fixed', candidates: byScore(candidates, (candidate) => candidate.durationMs) },
  ],
};
