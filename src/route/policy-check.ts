import { Ajv, type ValidateFunction } from 'ajv';
import { AiRouterError } from '../errors.js';
import type { PolicyDocument, RulesDocument, SplitDocument, VariantDocument } from './policy.js';
import { policySchema } from './policy-schema.js';
import { BY_SORT } from './sort.js';
import { breachOf } from './violation.js';

/** One decision in 100,000: less cannot be told from nothing, and is no whole mass. */
const PERCENT_MIN = 0.001;

let validate: ValidateFunction | null = null;

/** Throws `rule_broken` with the field, as a path with dots, and the rule that it breaks. */
export function checkPolicyDocument(document: unknown): asserts document is PolicyDocument {
  // Neither coerces nor drops; `default` is what a reader takes, not what is written into the document.
  validate ??= new Ajv({ strict: false, useDefaults: false }).compile(policySchema);
  if (!validate(document)) {
    const { field, rule } = breachOf(validate.errors!, 'policy');
    throw broken(field, rule);
  }
  const policy = document as PolicyDocument;
  checkPart(policy, '');
  for (const [tenant, part] of Object.entries(policy.tenants ?? {})) {
    checkPart({ ...policy, ...part }, `tenants.${tenant}.`);
  }
}

/** What the schema cannot say. */
function checkPart(
  part: RulesDocument & Pick<PolicyDocument, 'split' | 'canary'>,
  at: string,
): void {
  const { split, canary } = part;
  checkRules(part, at);
  if (canary !== undefined && split?.variants !== undefined) {
    throw broken(`${at}canary`, 'absent where split.variants is given');
  }
  if (split?.variants !== undefined) checkVariants(split.variants, part, `${at}split.variants`);
  if (split !== undefined) checkUnit(split, part, canary !== undefined, `${at}split`);
}

function checkVariants(
  variants: readonly VariantDocument[],
  part: RulesDocument,
  at: string,
): void {
  const names = new Set<string>();
  let sum = 0;
  variants.forEach((variant, i) => {
    if (names.has(variant.name)) throw broken(`${at}.${i}.name`, 'named once');
    names.add(variant.name);
    sum += variant.percent;
    if (variant.percent > 0 && variant.percent < PERCENT_MIN) {
      throw broken(`${at}.${i}.percent`, `0, or at least ${PERCENT_MIN}`);
    }
    checkRules({ ...part, ...variant }, `${at}.${i}.`);
  });
  if (!(sum > 0)) throw broken(`${at}`, 'such that some percent is above 0');
}

/** A key that is sticky has to have something to stick to. */
function checkUnit(
  { unit = 'decision', variants, ttl_s, block_s }: SplitDocument,
  { strategy }: RulesDocument,
  isCanary: boolean,
  at: string,
): void {
  const isSplit = variants !== undefined || isCanary;
  if (unit === 'time_block' && !isSplit) throw broken(`${at}.variants`, 'given with time_block');
  if (unit === 'sticky' && !isSplit && strategy !== 'weighted_round_robin') {
    throw broken(`${at}.variants`, 'given with sticky, or strategy weighted_round_robin');
  }
  if (ttl_s !== undefined && unit !== 'sticky')
    throw broken(`${at}.ttl_s`, 'given with sticky alone');
  if (block_s !== undefined && unit !== 'time_block') {
    throw broken(`${at}.block_s`, 'given with time_block alone');
  }
}

function checkRules({ strategy, provider = {}, tiers = [] }: RulesDocument, at: string): void {
  const { sort } = provider;
  if (sort !== undefined && strategy !== undefined && BY_SORT[sort] !== strategy) {
    throw broken(`${at}provider.sort`, `absent, or the same as strategy ${strategy}`);
  }
  const isNamed = (provider.only?.length ?? 0) + (provider.order?.length ?? 0) > 0;
  if (strategy === 'specified_provider' && !isNamed) {
    throw broken(`${at}provider.only`, 'given with strategy specified_provider');
  }
  const seen = new Set<string>();
  for (const target of tiers.flat()) {
    if (seen.has(target)) throw broken(`${at}tiers`, `such that ${target} is in one tier`);
    seen.add(target);
  }
}

function broken(field: string, rule: string): AiRouterError {
  return new AiRouterError('rule_broken', `${field} must be ${rule}`, { field, rule });
}
