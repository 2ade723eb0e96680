import { type Candidate, timeValueOf } from '../candidate.js';
import type { ProviderPreferences } from '../request.js';

/**
 * Candidates that stand together: a later tier is reached only when an earlier one is used up.
 * `drawn`: each rank by weight among those left, with a least mass for each where `floors` are
 * given. `fixed`: in the order given.
 */
export type Tier =
  | {
      order: 'drawn';
      candidates: readonly Candidate[];
      weights: readonly number[];
      floors?: readonly number[];
    }
  | { order: 'fixed'; candidates: readonly Candidate[] };

/** Candidates that are compared with one another, and what the request wishes of them. */
export interface Group {
  /** In the order of their key texts; at least one. */
  candidates: readonly Candidate[];
  preferences: ProviderPreferences;
}

/** A part of a score, for explaining it. Names are stable; null = unknown. */
export interface Term {
  name: string;
  value: number | null;
  unit: 'nano_usd' | 'ms' | 'us' | 'ratio' | 'tokens_per_second' | 'attempts' | 'weight' | 'number';
}

export interface Strategy {
  name: string;
  /** Name and version of the rule: it changes whenever answers to the same state may. */
  algorithm: string;
  order: Tier['order'];
  /** One sentence for `GET /v1/strategies`. */
  summary: string;
  /** What candidates are compared by, less is better; null = the strategy compares none. */
  score(candidate: Candidate, group: Group): number | null;
  /** What the score is made of, or what stands in for one. */
  terms(candidate: Candidate, group: Group): Term[];
  tiers(group: Group): Tier[];
}

/** Of a strategy that compares by the expected cost of a success. */
export function termsOfCost(candidate: Candidate): Term[] {
  return [
    { name: 'cost', value: candidate.costNanoUsd, unit: 'nano_usd' },
    { name: 'duration_mean', value: candidate.durationMs, unit: 'ms' },
    { name: 'value_of_time', value: timeValueOf(candidate.durationMs), unit: 'nano_usd' },
    { name: 'success_ratio', value: candidate.view.estimate.success.mean, unit: 'ratio' },
  ];
}

/** By score; those without one last, equal ones in the order of their key texts. */
export function byScore(
  candidates: readonly Candidate[],
  score: (candidate: Candidate) => number | null,
): Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, score: score(candidate) ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => (a.score < b.score ? -1 : a.score > b.score ? 1 : 0))
    .map(({ candidate }) => candidate);
}

/** A tier for each priority among the candidates, the lowest number first. */
export function byPriority(candidates: readonly Candidate[]): Candidate[][] {
  const groups = new Map<number, Candidate[]>();
  for (const candidate of candidates) {
    const { priority } = candidate.view.offering;
    const group = groups.get(priority);
    if (group === undefined) groups.set(priority, [candidate]);
    else group.push(candidate);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}
