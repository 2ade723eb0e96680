import {
  type Check,
  DEPLOYMENT,
  HASH,
  INT,
  INT_FROM_0,
  LONG_FROM_0,
  MODEL,
  nullable,
  PROVIDER,
  REGION,
  type Rule,
  rule,
  TIME_MS,
  text,
  texts,
} from './checks.js';
import type {
  CatalogueAlias,
  CatalogueModel,
  CatalogueOffering,
  CataloguePrice,
  CatalogueProvider,
  Policy,
  PriceTier,
} from './outcome.js';

const CAPABILITIES = texts(64, 64);

export const CATALOGUE_MODEL: readonly Rule<CatalogueModel>[] = [
  rule('name', MODEL, (it) => it.name),
  rule('display_name', text(0, 256), (it) => it.display_name),
  rule('capabilities', CAPABILITIES, (it) => it.capabilities),
  rule('context_tokens', nullable(LONG_FROM_0), (it) => it.context_tokens),
  rule('output_tokens_max', nullable(LONG_FROM_0), (it) => it.output_tokens_max),
];

export const CATALOGUE_PROVIDER: readonly Rule<CatalogueProvider>[] = [
  rule('name', PROVIDER, (it) => it.name),
  rule('display_name', text(0, 256), (it) => it.display_name),
];

export const CATALOGUE_OFFERING: readonly Rule<CatalogueOffering>[] = [
  rule('model', MODEL, (it) => it.model),
  rule('provider', PROVIDER, (it) => it.provider),
  rule('deployment', DEPLOYMENT, (it) => it.deployment),
  rule('region', REGION, (it) => it.region),
  rule('call_as', text(1, 256), (it) => it.call_as),
  rule('capabilities', nullable(CAPABILITIES), (it) => it.capabilities),
  rule('context_tokens', nullable(LONG_FROM_0), (it) => it.context_tokens),
  rule('output_tokens_max', nullable(LONG_FROM_0), (it) => it.output_tokens_max),
  rule('requests_per_minute', nullable(LONG_FROM_0), (it) => it.requests_per_minute),
  rule('tokens_per_minute', nullable(LONG_FROM_0), (it) => it.tokens_per_minute),
  rule('weight', INT_FROM_0, (it) => it.weight),
  rule('priority', INT, (it) => it.priority),
];

export const CATALOGUE_ALIAS: readonly Rule<CatalogueAlias>[] = [
  rule('name', text(1, 256), (it) => it.name),
  rule('model', text(0, 256), (it) => it.model),
];

/** Steps of one price by size of the input; the largest known has three. */
const TIERS_MAX = 16;
const TIERS: Check = {
  rule: `at most ${TIERS_MAX} tiers by rising above_input_tokens, the first of 0; prices null or integers of 0..2^53-2`,
  holds: (value) => {
    const tiers = value as PriceTier[];
    return (
      tiers.length <= TIERS_MAX && tiers.every((tier, index) => isTier(tier, tiers[index - 1]))
    );
  },
};

export const CATALOGUE_PRICE: readonly Rule<CataloguePrice>[] = [
  rule('model', MODEL, (it) => it.model),
  rule('provider', PROVIDER, (it) => it.provider),
  rule('deployment', DEPLOYMENT, (it) => it.deployment),
  rule('valid_from', TIME_MS, (it) => it.valid_from),
  rule('source', text(0, 256), (it) => it.source),
  rule('tiers', TIERS, (it) => it.tiers),
];

export const POLICY: readonly Rule<Policy>[] = [
  rule('name', text(1, 128), (it) => it.name),
  rule('document', text(0, 65_536), (it) => it.document),
  rule('hash', HASH, (it) => it.hash),
];

function isTier(tier: PriceTier, before: PriceTier | undefined): boolean {
  const { above_input_tokens: above, input, cached_input, cache_write, output, request } = tier;
  const amount = nullable(LONG_FROM_0);
  return (
    LONG_FROM_0.holds(above) &&
    (before === undefined ? above === 0 : above > before.above_input_tokens) &&
    [input, cached_input, cache_write, output, request].every((price) => amount.holds(price))
  );
}
