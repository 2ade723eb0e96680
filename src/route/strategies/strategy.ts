import type { Board } from '../board.js';
import { type Candidate, timeValueOf } from '../candidate.js';
import type { LatencyChoice } from '../latency.js';
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
      /** Weights at the ranks after the first; absent = the same, with the same floors. */
      later?: readonly number[];
    }
  | { order: 'fixed'; candidates: readonly Candidate[] };

/** Candidates that are compared with one another, and what the request wishes of them. */
export interface Group {
  board: Board;
  /** In the order of their key texts; at least one. */
  candidates: readonly Candidate[];
  preferences: ProviderPreferences;
  latency: LatencyChoice;
  /** False = they miss the preferred latency or throughput, and stand behind those that meet it. */
  isPreferred: boolean;
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
  /** Whether what it reads was told of nobody in the group; absent where all of it is estimated. */
  isBlind?(group: Group): boolean;
}

/** Of a strategy that compares by the expected cost of a success. */
export function termsOfCost(candidate: Candidate): Term[] {
  return [
    { name: 'cost', value: candidate.costNanoUsd, unit: 'nano_usd' },
    { name: 'duration_mean', value: candidate.durationMs, unit: 'ms' },
    { name: 'value_of_time', value: timeValueOf(candidate.durationMs), unit: 'nano_usd' },
    { name: 'success_ratio', value: candidate.view.estimate.success.mean, unit: 'ratio' },
    { name: 'failure_mean', value: candidate.view.estimate.failureMs, unit: 'ms' },
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

/** By score, but those within `latency.buffer` of the least share by weight. */
export function nearestFirst(group: Group, score: Strategy['score']): Tier[] {
  const { buffer = 0 } = group.latency;
  if (buffer > 0) return sharedUpTo(buffer, 'of the least', group, score);
  return [{ order: 'fixed', candidates: byScore(group.candidates, (it) => score(it, group)) }];
}

/** Those within a buffer share by weight, the others follow by score. */
export function sharedUpTo(
  buffer: number,
  kind: 'of the least' | 'above the least',
  group: Group,
  score: Strategy['score'],
): Tier[] {
  const ranked = byScore(group.candidates, (candidate) => score(candidate, group));
  const least = score(ranked[0]!, group);
  if (least === null) return [{ order: 'fixed', candidates: ranked }];
  const limit = kind === 'of the least' ? least * (1 + buffer) : least + buffer;
  const isEqual = (candidate: Candidate): boolean => {
    const own = score(candidate, group);
    return own !== null && own <= limit;
  };
  const equals = group.candidates.filter(isEqual);
  const others = ranked.filter((candidate) => !isEqual(candidate));
  const shared: Tier = {
    order: 'drawn',
    candidates: equals,
    weights: equals.map(({ weight }) => weight),
  };
  return others.length === 0 ? [shared] : [shared, { order: 'fixed', candidates: others }];
}

/** What is computed of a group, once. */
export function keptByGroup<T>(compute: (group: Group) => T): (group: Group) => T {
  const kept = new WeakMap<Group, { value: T }>();
  return (group) => {
    let entry = kept.get(group);
    if (entry === undefined) {
      entry = { value: compute(group) };
      kept.set(group, entry);
    }
    return entry.value;
  };
}

/** A tier for each priority among the candidates, the lowest number first. */
export function byPriority(candidates: readonly Candidate[]): Candidate[][] {
  const groups = new Map<number, Candidate[]>();
  for (const candidate of candidates) {
    const { priority } = candidate;
    const group = groups.get(priority);
    if (group === undefined) groups.set(priority, [candidate]);
    else group.push(candidate);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}
