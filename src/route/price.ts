import type { PriceTier } from '../event/outcome.js';
import type { ModelsValueOffering } from '../hotkeys/values.js';

/** Tokens of one request. */
export interface RequestSize {
  inputTokens: number;
  /** Part of the input. */
  cachedInputTokens: number;
  outputTokens: number;
}

/** The tiers in force at a moment; null = no price is known. */
export function tiersAt(offering: ModelsValueOffering, asOf: number): readonly PriceTier[] | null {
  const price = offering.prices.findLast(({ valid_from }) => valid_from <= asOf * 1000);
  return price === undefined || price.tiers.length === 0 ? null : price.tiers;
}

/** The tier of an input size: the highest that begins below it. */
export function tierOf(tiers: readonly PriceTier[], inputTokens: number): PriceTier {
  return tiers.findLast((tier) => tier.above_input_tokens < inputTokens) ?? tiers[0]!;
}

/**
 * Cost of a request in nano-USD, rounded once; null where the price of a part is not known. Cached
 * input without a price of its own costs as input does; without a price for each request none is
 * charged, as catalogues leave it out where there is none.
 */
export function costNanoUsd(tiers: readonly PriceTier[] | null, size: RequestSize): number | null {
  if (tiers === null) return null;
  const tier = tierOf(tiers, size.inputTokens);
  const plain = partCost(size.inputTokens - size.cachedInputTokens, tier.input);
  const cached = partCost(size.cachedInputTokens, tier.cached_input ?? tier.input);
  const output = partCost(size.outputTokens, tier.output);
  if (plain === null || cached === null || output === null) return null;
  return Math.round((plain + cached + output) / 1_000_000 + (tier.request ?? 0));
}

/** In nano-USD per million requests; null = unknown. */
function partCost(tokens: number, perMillion: number | null): number | null {
  if (tokens === 0) return 0;
  return perMillion === null ? null : tokens * perMillion;
}
