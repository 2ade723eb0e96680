import { costOfSuccess } from '../candidate.js';
import { providerNames } from '../request.js';
import { byScore, type Strategy, termsOfCost } from './strategy.js';

/**
 * Only the providers that `provider.order` or `provider.only` names, one of which is required; in
 * the order in which they are named, the offerings of one provider by ascending cost of a success
 * (see `auto`).
 */
export const specifiedProvider: Strategy = {
  name: 'specified_provider',
  algorithm: 'specified_provider/1',
  order: 'fixed',
  summary: 'The named providers alone, in the order in which they are named.',
  score: costOfSuccess,
  terms: termsOfCost,
  tiers: ({ candidates, preferences }) => {
    const named = providerNames(preferences.only);
    const ranked = byScore(candidates, costOfSuccess);
    const ordered = named.flatMap((name) =>
      ranked.filter((candidate) => candidate.view.offering.provider === name),
    );
    return [{ order: 'fixed', candidates: ordered }];
  },
};
