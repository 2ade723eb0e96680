import type { Candidate } from '../candidate.js';
import { measuredValues } from '../latency.js';
import { type Group, keptByGroup, nearestFirst, type Strategy } from './strategy.js';

/**
 * By descending tokens a second, 1,000,000 / (time per output token in µs), of the kind of answer
 * that is asked for, at `latency.percentile` (p50; p90 is what 90 % of the answers reach) within
 * `latency.window_minutes` (30). Few samples lean on more as in `response_time`; one of which
 * nothing is known stands last. Those within `latency.buffer` (0) of the fastest share by weight.
 */
export const throughput: Strategy = {
  name: 'throughput',
  algorithm: 'throughput/1',
  order: 'fixed',
  summary: 'The most tokens a second first, at a percentile.',
  score: timeOf,
  terms: (candidate, group) => {
    const us = timeOf(candidate, group);
    const percentile = group.latency.percentile ?? 'p50';
    return [
      { name: `time_per_output_token_${percentile}`, value: us, unit: 'us' },
      {
        name: `throughput_${percentile}`,
        value: us === null ? null : 1_000_000 / (us > 1 ? us : 1),
        unit: 'tokens_per_second',
      },
    ];
  },
  tiers: (group) => nearestFirst(group, timeOf),
  isBlind: (group) => group.candidates.every((candidate) => timeOf(candidate, group) === null),
};

const timesOf = keptByGroup((group) => measuredValues(group, 'time_per_output_token_us'));

/** µs per output token. */
function timeOf(candidate: Candidate, group: Group): number | null {
  return timesOf(group).get(candidate) ?? null;
}
