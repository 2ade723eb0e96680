import type { Candidate } from '../candidate.js';
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

export interface Strategy {
  name: string;
  /** Name and version of the rule: it changes whenever answers to the same state may. */
  algorithm: string;
  order: Tier['order'];
  /** One sentence for `GET /v1/strategies`. */
  summary: string;
  /** What candidates are compared by, less is better; null = the strategy compares none. */
  score(candidate: Candidate): number | null;
  /** `candidates` are in the order of their key texts and at least one. */
  tiers(candidates: readonly Candidate[], preferences: ProviderPreferences): Tier[];
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
