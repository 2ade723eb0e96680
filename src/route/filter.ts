import type { ModelsValueOffering } from '../hotkeys/values.js';
import type { Board } from './board.js';
import { type RequestSize, tierOf, tiersAt } from './price.js';
import type { ExclusionReason } from './reasons.js';
import { providerNames, type RouteRequest } from './request.js';

export interface Excluded {
  offering: string;
  reason: ExclusionReason;
}

const NANO_USD = 1_000_000_000;

/** Why a request does not allow an offering; null = it does. The first rule that holds is named. */
export type Filter = (offering: ModelsValueOffering) => ExclusionReason | null;

export function filterOf(
  board: Board,
  request: RouteRequest,
  size: RequestSize,
  isOrderBinding: boolean,
): Filter {
  const rules = [
    enabledRule(board),
    triedRule(request),
    providerRule(request, isOrderBinding),
    requirementRule(board, request),
    priceRule(board, request, size),
  ];
  return (offering) => {
    for (const rule of rules) {
      const reason = rule(offering);
      if (reason !== null) return reason;
    }
    return null;
  };
}

function enabledRule({ snapshot }: Board): Filter {
  return ({ model, provider, enabled, weight }) => {
    if (snapshot.catalogue.models.get(model)?.enabled === false) return 'model_disabled';
    if (snapshot.providers.get(provider)?.enabled === false) return 'provider_disabled';
    if (!enabled) return 'offering_disabled';
    return weight === 0 ? 'draining' : null;
  };
}

function triedRule(request: RouteRequest): Filter {
  const tried = new Set(request.tried);
  return ({ offering }) => (tried.has(offering) ? 'tried' : null);
}

function providerRule({ provider: preferences }: RouteRequest, isOrderBinding: boolean): Filter {
  const only = new Set(providerNames(preferences?.only));
  const ignored = new Set(providerNames(preferences?.ignore));
  const order = new Set(providerNames(preferences?.order));
  return ({ provider }) => {
    if (only.size > 0 && !only.has(provider)) return 'provider_not_allowed';
    if (ignored.has(provider)) return 'provider_ignored';
    const isOutOfOrder = isOrderBinding && order.size > 0 && !order.has(provider);
    return isOutOfOrder ? 'provider_not_in_order' : null;
  };
}

/** What is required must be known: an unknown context is not a long one. */
function requirementRule({ snapshot }: Board, { require }: RouteRequest): Filter {
  const capabilities = require?.capabilities ?? [];
  const regions = new Set(require?.regions);
  const contextTokens = require?.context_tokens ?? 0;
  return (offering) => {
    const model = snapshot.catalogue.models.get(offering.model);
    if (regions.size > 0 && !regions.has(offering.region)) return 'region';
    const known = offering.capabilities ?? model?.capabilities ?? [];
    if (!capabilities.every((capability) => known.includes(capability))) return 'capability';
    if (contextTokens === 0) return null;
    const context = offering.context_tokens ?? model?.context_tokens ?? null;
    if (context === null) return 'context_length_unknown';
    return context < contextTokens ? 'context_length' : null;
  };
}

function priceRule({ asOf }: Board, { provider }: RouteRequest, size: RequestSize): Filter {
  const { prompt, completion } = provider?.max_price ?? {};
  if (prompt === undefined && completion === undefined) return () => null;
  return (offering) => {
    const tiers = tiersAt(offering, asOf);
    if (tiers === null) return 'price_unknown';
    const { input, output } = tierOf(tiers, size.inputTokens);
    const limits = [
      { price: input, limit: prompt },
      { price: output, limit: completion },
    ].filter(({ limit }) => limit !== undefined);
    if (limits.some(({ price }) => price === null)) return 'price_unknown';
    return limits.some(({ price, limit }) => price! > limit! * NANO_USD) ? 'max_price' : null;
  };
}
