import type { PriceTier } from '../event/outcome.js';

/**
 * What tokens cost, in integers: prices are nano-USD per million tokens, costs are nano-USD.
 * Everything is summed exactly and rounded once, half up.
 */

/** A price from a moment on (ms since the epoch) until the next one of the same offering. */
export interface DatedPrice {
  valid_from: number;
  /** Ascending by `above_input_tokens`; empty = the price ends here. */
  tiers: readonly PriceTier[];
}

type Count = number | bigint;

/**
 * Tokens as OpenTelemetry counts them: `input` includes what was read from and written to the
 * cache, `output` includes reasoning. Null = unknown, which is not 0; but where nothing is known
 * of the cache, all input is plain input.
 */
export interface TokenUsage {
  input: Count | null;
  cachedInput: Count | null;
  cacheWrite: Count | null;
  output: Count | null;
  /** How many requests the counts are summed over; 1 by default. */
  requests?: Count;
}

const TOKENS_PER_PRICE = 1_000_000n;

/** The price in force at a moment; null = unknown. `prices` ascend by `valid_from`. */
export function priceAt<P extends DatedPrice>(prices: readonly P[], ms: number): P | null {
  const price = prices.findLast((candidate) => candidate.valid_from <= ms);
  return price === undefined || price.tiers.length === 0 ? null : price;
}

/** The tier of a request with that much input; null where the size decides and is unknown. */
export function tierFor(tiers: readonly PriceTier[], inputTokens: number | null): PriceTier | null {
  if (inputTokens === null) return tiers.length === 1 ? tiers[0]! : null;
  const tier = tiers.findLast((candidate) => inputTokens > candidate.above_input_tokens);
  // No token is above 0, yet a request without input has a price: the base's.
  return tier ?? tiers[0] ?? null;
}

/** Cost of one request in nano-USD; null = unknown, 0 = free. */
export function costNanoUsd(
  tiers: readonly PriceTier[],
  usage: TokenUsage & { input: number | null },
): bigint | null {
  const tier = tierFor(tiers, usage.input);
  return tier === null ? null : costInTierNanoUsd(tier, usage);
}

/**
 * Cost in nano-USD of tokens that all fall into one tier, of one request or summed over many;
 * null = unknown. A part costs 0 where its price or its count is 0, even if the other is unknown.
 * Emitters that count cached input beside the input have no plain input left: it never goes
 * below 0.
 */
export function costInTierNanoUsd(tier: PriceTier, usage: TokenUsage): bigint | null {
  const cached = BigInt(usage.cachedInput ?? 0);
  const written = BigInt(usage.cacheWrite ?? 0);
  const parts = [
    product(plainInput(usage.input, cached + written), tier.input),
    product(cached, tier.cached_input ?? tier.input),
    product(written, tier.cache_write ?? tier.input),
    product(toBigInt(usage.output), tier.output),
    product(BigInt(usage.requests ?? 1) * TOKENS_PER_PRICE, tier.request ?? 0),
  ];
  let sum = 0n;
  for (const part of parts) {
    if (part === null) return null;
    sum += part;
  }
  return (sum + TOKENS_PER_PRICE / 2n) / TOKENS_PER_PRICE;
}

function plainInput(input: Count | null, cache: bigint): bigint | null {
  if (input === null) return null;
  const plain = BigInt(input) - cache;
  return plain > 0n ? plain : 0n;
}

function product(tokens: bigint | null, price: number | null): bigint | null {
  if (tokens === 0n || price === 0) return 0n;
  return tokens === null || price === null ? null : tokens * BigInt(price);
}

function toBigInt(count: Count | null): bigint | null {
  return count === null ? null : BigInt(count);
}
