import { AiRouterError } from '../errors.js';
import type { ModelsValueOffering } from '../hotkeys/values.js';
import type { Board } from './board.js';
import { type Candidate, candidateOf } from './candidate.js';
import { type Excluded, filterOf } from './filter.js';
import type { RequestSize } from './price.js';
import type { RouteRequest } from './request.js';
import type { Catalogue } from './snapshot.js';

/** Who is left for a request, and who is not and why. */
export interface Sifted {
  /** One for each model in order of preference, or one for all; none empty, at least one. */
  groups: readonly (readonly Candidate[])[];
  excluded: readonly Excluded[];
  /** Every breaker is open, so all were taken as closed. */
  isFailOpen: boolean;
}

/** No offering was left by the filters; `excluded` says which of them took whom. */
export class NoEligibleOffering extends AiRouterError {
  readonly excluded: readonly Excluded[];

  constructor(excluded: readonly Excluded[]) {
    super('no_eligible_offering', 'every offering of the named models was excluded');
    this.excluded = excluded;
  }
}

/** Throws `model_not_found` and `no_eligible_offering`. */
export function sift(
  board: Board,
  request: RouteRequest,
  size: RequestSize,
  isOrderBinding: boolean,
): Sifted {
  const filter = filterOf(board, request, size, isOrderBinding);
  const excluded: Excluded[] = [];
  const allowed = offeringGroups(board.snapshot.catalogue, request).map((group) =>
    group.filter((offering) => {
      const reason = filter(offering);
      if (reason !== null) excluded.push({ offering: offering.offering, reason });
      return reason === null;
    }),
  );
  const isOpen = (it: ModelsValueOffering): boolean => board.view(it).breaker.state === 'open';
  if (allowed.every((group) => group.length === 0)) throw new NoEligibleOffering(excluded);
  const isFailOpen = allowed.every((group) => group.every(isOpen));
  const groups = allowed.map((group) =>
    group
      .filter((offering) => isFailOpen || !isOpen(offering))
      .map((offering) => candidateOf(board, offering, size)),
  );
  return {
    groups: groups.filter((group) => group.length > 0),
    excluded: isFailOpen ? excluded : [...excluded, ...openOnes(board, allowed)],
    isFailOpen,
  };
}

/**
 * The offerings of the models that the request names, each list in the order of key texts: one
 * list a model where models are preferred in order, else one list.
 */
function offeringGroups(
  { aliases, offeringsByModel }: Catalogue,
  { model, models, model_set: modelSet }: RouteRequest,
): (readonly ModelsValueOffering[])[] {
  const named = model === undefined ? (models ?? modelSet ?? []) : [model];
  const unique = [...new Set(named.map((name) => aliases.get(name) ?? name))];
  const groups = unique.flatMap((name) => {
    const offerings = offeringsByModel.get(name);
    return offerings === undefined ? [] : [offerings];
  });
  if (groups.length === 0) {
    throw new AiRouterError('model_not_found', 'no offering of the named models is known', {
      field: model === undefined ? (models === undefined ? 'model_set' : 'models') : 'model',
      rule: 'in the catalogue',
    });
  }
  if (modelSet === undefined || groups.length === 1) return groups;
  return [groups.flat().sort((a, b) => (a.offering < b.offering ? -1 : 1))];
}

function openOnes(board: Board, groups: readonly (readonly ModelsValueOffering[])[]): Excluded[] {
  return groups.flat().flatMap((offering): Excluded[] => {
    const { state, reason } = board.view(offering).breaker;
    if (state !== 'open' || reason === null) return [];
    return [{ offering: offering.offering, reason: `open_${reason}` }];
  });
}
