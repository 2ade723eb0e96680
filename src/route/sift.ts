import { AiRouterError } from '../errors.js';
import type { ModelsValueOffering } from '../hotkeys/values.js';
import type { Board } from './board.js';
import { type Candidate, candidateOf } from './candidate.js';
import { type Excluded, type Filtering, filterOf } from './filter.js';
import type { VariantRules } from './policy.js';
import { namesOf, type RouteRequest } from './request.js';
import type { Catalogue } from './snapshot.js';

/** Who is left for a request, and who is not and why. */
export interface Sifted {
  /** One for each model in order of preference, or one for all; none empty. None = nobody is left. */
  groups: readonly (readonly Candidate[])[];
  excluded: readonly Excluded[];
  /** Every breaker is open, so all were taken as closed. */
  isFailOpen: boolean;
  /** Whether any of the named models is in the catalogue. */
  isModelKnown: boolean;
}

/** No offering was left by the filters; `excluded` says which of them took whom. */
export class NoEligibleOffering extends AiRouterError {
  readonly excluded: readonly Excluded[];

  constructor(excluded: readonly Excluded[]) {
    super('no_eligible_offering', 'every offering of the named models was excluded');
    this.excluded = excluded;
  }
}

export function sift(
  board: Board,
  request: Pick<RouteRequest, 'model' | 'models' | 'model_set'>,
  filtering: Filtering,
  tiers: VariantRules['tiers'],
): Sifted {
  const filter = filterOf(board, filtering);
  const excluded: Excluded[] = [];
  const named = offeringGroups(board.snapshot.catalogue, request);
  const allowed = named.map((group) =>
    group.filter((offering) => {
      const reason = filter(offering);
      if (reason !== null) excluded.push({ offering: offering.offering, reason });
      return reason === null;
    }),
  );
  const isOpen = (it: ModelsValueOffering): boolean => board.view(it).breaker.state === 'open';
  const isLeft = allowed.some((group) => group.length > 0);
  const isFailOpen = isLeft && allowed.every((group) => group.every(isOpen));
  const groups = allowed.map((group) =>
    group
      .filter((offering) => isFailOpen || !isOpen(offering))
      .map((offering) =>
        candidateOf(board, offering, { size: filtering.size, weights: filtering.weights, tiers }),
      ),
  );
  return {
    groups: groups.filter((group) => group.length > 0),
    excluded: isFailOpen ? excluded : [...excluded, ...openOnes(board, allowed)],
    isFailOpen,
    isModelKnown: named.length > 0,
  };
}

/**
 * The offerings of the models that the request names, each list in the order of key texts: one
 * list a model where models are preferred in order, else one list.
 */
function offeringGroups(
  { aliases, offeringsByModel }: Catalogue,
  request: Pick<RouteRequest, 'model' | 'models' | 'model_set'>,
): (readonly ModelsValueOffering[])[] {
  const unique = [...new Set(namesOf(request).map((name) => aliases.get(name) ?? name))];
  const groups = unique.flatMap((name) => {
    const offerings = offeringsByModel.get(name);
    return offerings === undefined ? [] : [offerings];
  });
  if (request.model_set === undefined || groups.length < 2) return groups;
  return [groups.flat().sort((a, b) => (a.offering < b.offering ? -1 : 1))];
}

function openOnes(board: Board, groups: readonly (readonly ModelsValueOffering[])[]): Excluded[] {
  return groups.flat().flatMap((offering): Excluded[] => {
    const { state, reason } = board.view(offering).breaker;
    if (state !== 'open' || reason === null) return [];
    return [{ offering: offering.offering, reason: `open_${reason}` }];
  });
}
