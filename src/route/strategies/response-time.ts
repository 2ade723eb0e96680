import type { Candidate } from '../candidate.js';
import { latenciesOf } from '../latency.js';
import { type Group, nearestFirst, type Strategy } from './strategy.js';

/**
 * By ascending latency: of streamed answers the time to the first token, of others the whole
 * duration, or the time per output token where `latency.metric` says so, at `latency.percentile`
 * (p50) within `latency.window_minutes` (30). Duration is that of the estimated size,
 * reference · 2^((pace + z·σ) / 8), and known of every offering: one that was never measured has the
 * pace of its model and provider. The others are read from histograms, in which few samples lean
 * on the offering's 30 minutes, these on its provider's, these on its model's, each as 8 samples;
 * one of which nothing is known stands last. Those within `latency.buffer` (0) of the fastest share
 * by weight.
 */
export const responseTime: Strategy = {
  name: 'response_time',
  algorithm: 'response_time/2',
  order: 'fixed',
  summary:
    'The fastest first: time to the first token of streamed answers, duration of others, at a percentile.',
  score: latencyOf,
  terms: (candidate, group) => {
    const { metric } = latenciesOf(group);
    const unit = metric === 'time_per_output_token_us' ? 'us' : 'ms';
    const name = `${metric.replace(/_[mu]s$/, '')}_${group.latency.percentile ?? 'p50'}`;
    return [{ name, value: latencyOf(candidate, group), unit }];
  },
  tiers: (group) => nearestFirst(group, latencyOf),
};

function latencyOf(candidate: Candidate, group: Group): number | null {
  return latenciesOf(group).values.get(candidate) ?? null;
}
