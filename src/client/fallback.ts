import { offeringKey } from '../event/offering-key.js';
import { providerName } from '../event/provider.js';
import type { RouteRequest } from '../route/request.js';
import type { FallbackOffering, RouteAnswer, RouteCandidate } from './types.js';

/** The router's own number of candidates where a request names none. */
const LIMIT_DEFAULT = 3;

/**
 * The client's own order for a request: the offerings of its models as they were listed, without
 * those that were tried or that the request's `provider.only` and `provider.ignore` rule out. What
 * else a request asks for cannot be judged here. Null where nothing is left.
 */
export function fallbackAnswer(
  offerings: Readonly<Record<string, readonly FallbackOffering[]>>,
  request: Partial<RouteRequest>,
  reason: string,
): RouteAnswer | null {
  const { model, models, model_set, tried = [], provider = {}, limit } = request;
  const asked = model === undefined ? (models ?? model_set ?? []) : [model];
  const only = provider.only?.map(providerName);
  const ignored = provider.ignore?.map(providerName) ?? [];
  const candidates = asked
    .flatMap((name) => candidatesOf(name, Object.hasOwn(offerings, name) ? offerings[name]! : []))
    .filter((candidate) => !tried.includes(candidate.offering))
    .filter((candidate) => only === undefined || only.includes(candidate.provider))
    .filter((candidate) => !ignored.includes(candidate.provider))
    .slice(0, limit ?? LIMIT_DEFAULT)
    .map((candidate, rank) => ({ ...candidate, rank }));
  if (candidates.length === 0) return null;
  return {
    decision_id: null,
    strategy: 'client_fallback',
    candidates,
    explored: false,
    degraded: ['client_fallback'],
    fallback: { reason },
  };
}

function candidatesOf(model: string, offerings: readonly FallbackOffering[]): RouteCandidate[] {
  return offerings.map(({ provider: given, deployment = '', region = '', call_as = model }) => {
    const provider = providerName(given);
    const offering = offeringKey({ model, provider, deployment, region });
    return { offering, model, provider, deployment, region, call_as, rank: 0, propensity: null };
  });
}
