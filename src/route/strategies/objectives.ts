import type { Candidate } from '../candidate.js';
import { latenciesOf } from '../latency.js';
import type { Group, Term } from './strategy.js';

/** What is weighed against one another, less is better in each; null = unknown. */
type Objective = 'failure' | 'latency' | 'cost';

/**
 * Least spans: differences of less than a twentieth in the probability of failure, or of less than
 * a quarter of the least latency and of the least cost, never count whole.
 */
const SPAN_MIN: Readonly<Record<Objective, (least: number) => number>> = {
  failure: () => 0.05,
  latency: (least) => least / 4,
  cost: (least) => least / 4,
};

/** An objective of each candidate, scaled over the group: 0 is the best, 1 the worst. */
export function scaledObjective(group: Group, objective: Objective): number[] {
  const values = group.candidates.map((candidate) => rawValue(candidate, group, objective));
  return scaled(values, SPAN_MIN[objective]);
}

function rawValue(candidate: Candidate, group: Group, objective: Objective): number | null {
  if (objective === 'failure') return 1 - candidate.view.estimate.success.mean;
  if (objective === 'cost') return candidate.costNanoUsd;
  return latenciesOf(group).values.get(candidate) ?? null;
}

/**
 * (value − least) / (greatest − least), where the span counts at least `spanMin`. Unknown is 1;
 * where nothing is known of anybody, all are 0.
 */
export function scaled(
  values: readonly (number | null)[],
  spanMin: (least: number) => number,
): number[] {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return values.map(() => 0);
  const least = known.reduce((a, b) => (b < a ? b : a));
  const greatest = known.reduce((a, b) => (b > a ? b : a));
  const floor = spanMin(least);
  const span = greatest - least > floor ? greatest - least : floor;
  return values.map((value) => {
    if (value === null) return 1;
    return span > 0 ? (value - least) / span : 0;
  });
}

/** The objectives before they are scaled. */
export function termsOfObjectives(candidate: Candidate, group: Group): Term[] {
  const { metric, values } = latenciesOf(group);
  return [
    { name: 'success_ratio', value: candidate.view.estimate.success.mean, unit: 'ratio' },
    {
      name: 'latency',
      value: values.get(candidate) ?? null,
      unit: metric === 'time_per_output_token_us' ? 'us' : 'ms',
    },
    { name: 'cost', value: candidate.costNanoUsd, unit: 'nano_usd' },
  ];
}
