import type { ModelsValueOffering } from '../hotkeys/values.js';
import type { Board } from './board.js';
import type { Allowance, VariantRules } from './policy.js';
import { type RequestSize, tierOf, tiersAt } from './price.js';
import type { ExclusionReason } from './reasons.js';
import { type ProviderPreferences, providerNames, type Requirements } from './request.js';
import { overriddenBy } from './target.js';

export interface Excluded {
  offering: string;
  reason: ExclusionReason;
}

const NANO_USD = 1_000_000_000;

/** Why a request does not allow an offering; null = it does. The first rule that holds is named. */
export type Filter = (offering: ModelsValueOffering) => ExclusionReason | null;

/** What offerings are filtered by. */
export interface Filtering {
  tried: readonly string[];
  /** The request's own and those of its policy: an offering has to meet all. */
  allowances: readonly Allowance[];
  /** Providers, where none but these may be used. */
  bindingOrder: readonly string[];
  /** Of the policy. */
  weights: VariantRules['weights'];
  size: RequestSize;
}

export function filterOf(board: Board, filtering: Filtering): Filter {
  const { allowances, bindingOrder, size } = filtering;
  const rules = [
    enabledRule(board, filtering),
    triedRule(filtering),
    ...allowances.map((it) => providerRule(it.provider)),
    orderRule(bindingOrder),
    ...allowances.map(targetRule),
    ...allowances.map((it) => requirementRule(board, it.require)),
    ...allowances.map((it) => priceRule(board, it.provider, size)),
  ];
  return (offering) => {
    for (const rule of rules) {
      const reason = rule(offering);
      if (reason !== null) return reason;
    }
    return null;
  };
}

function enabledRule({ snapshot }: Board, { weights }: Filtering): Filter {
  return (offering) => {
    const { model, provider, enabled, weight } = offering;
    if (snapshot.catalogue.models.get(model)?.enabled === false) return 'model_disabled';
    if (snapshot.providers.get(provider)?.enabled === false) return 'provider_disabled';
    if (!enabled) return 'offering_disabled';
    return weight === 0 || overriddenBy(weights, offering) === 0 ? 'draining' : null;
  };
}

function triedRule(filtering: Filtering): Filter {
  const tried = new Set(filtering.tried);
  return ({ offering }) => (tried.has(offering) ? 'tried' : null);
}

function providerRule(preferences: ProviderPreferences): Filter {
  const only = new Set(providerNames(preferences.only));
  const ignored = new Set(providerNames(preferences.ignore));
  return ({ provider }) => {
    if (only.size > 0 && !only.has(provider)) return 'provider_not_allowed';
    return ignored.has(provider) ? 'provider_ignored' : null;
  };
}

function orderRule(bindingOrder: readonly string[]): Filter {
  const order = new Set(bindingOrder);
  return ({ provider }) =>
    order.size > 0 && !order.has(provider) ? 'provider_not_in_order' : null;
}

function targetRule({ targets, except }: Allowance): Filter {
  const isIn = (set: ReadonlySet<string>, { provider, offering }: ModelsValueOffering): boolean =>
    set.has(provider) || set.has(offering);
  return (offering) => {
    if (targets !== null && !isIn(targets, offering)) return 'not_a_target';
    return except !== null && isIn(except, offering) ? 'not_a_target' : null;
  };
}

/** What is required must be known: an unknown context is not a long one. */
function requirementRule({ snapshot }: Board, require: Requirements): Filter {
  const capabilities = require.capabilities ?? [];
  const regions = new Set(require.regions);
  const contextTokens = require.context_tokens ?? 0;
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

function priceRule({ asOf }: Board, provider: ProviderPreferences, size: RequestSize): Filter {
  const { prompt, completion } = provider.max_price ?? {};
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
