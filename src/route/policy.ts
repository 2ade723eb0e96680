import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';
import type { LatencyChoice } from './latency.js';
import { checkPolicyDocument } from './policy-check.js';
import type { ProviderPreferences, Requirements } from './request.js';

/** What a policy, a tenant's part of it and a variant may say alike (policy-schema.ts). */
export interface RulesDocument {
  strategy?: string;
  models?: string[];
  provider?: ProviderPreferences;
  require?: Requirements;
  targets?: string[];
  except?: string[];
  weights?: Record<string, number>;
  tiers?: string[][];
  latency?: LatencyChoice;
}

export interface VariantDocument extends RulesDocument {
  name: string;
  percent: number;
}

export interface SplitDocument {
  unit?: UnitOfSplit;
  ttl_s?: number;
  block_s?: number;
  variants?: VariantDocument[];
}

interface PartDocument extends RulesDocument {
  split?: SplitDocument;
  canary?: { targets: string[]; percent: number };
}

export interface PolicyDocument extends PartDocument {
  name: string;
  description?: string;
  default_for?: string[];
  salt?: string;
  tenants?: Record<string, PartDocument>;
}

export type UnitOfSplit = 'decision' | 'sticky' | 'time_block';

/** What an offering has to meet, beside what others ask for. */
export interface Allowance {
  provider: ProviderPreferences;
  require: Requirements;
  targets: ReadonlySet<string> | null;
  except: ReadonlySet<string> | null;
}

/** The rules of one variant, with those of the policy that it stands in. */
export interface VariantRules {
  /** Empty = the policy has no variants. */
  name: string;
  percent: number;
  strategy: string | null;
  models: readonly string[] | null;
  /** What is more than a limit: the order and the preferences. */
  preferences: ProviderPreferences;
  allowances: readonly Allowance[];
  /** By provider or key text. */
  weights: ReadonlyMap<string, number>;
  tiers: readonly ReadonlySet<string>[];
  latency: LatencyChoice | null;
}

/** What a policy says of one tenant. */
export interface PolicyRules {
  /** Whose rules these are: empty = of every tenant that has none of its own. */
  tenant: string;
  unit: UnitOfSplit;
  ttlSeconds: number;
  blockSeconds: number;
  /** Those with a percentage above 0; at least one. */
  variants: readonly VariantRules[];
}

export interface Policy {
  name: string;
  /** SHA-256 of the document in canonical JSON, hex. */
  hash: string;
  salt: string;
  document: PolicyDocument;
  rules: PolicyRules;
  tenantRules: ReadonlyMap<string, PolicyRules>;
}

const TTL_SECONDS = 3600;
const BLOCK_SECONDS = 600;

/** Checks a document and makes a policy of it; throws `rule_broken` with field and rule. */
export function makePolicy(document: unknown): Policy {
  checkPolicyDocument(document);
  const { tenants = {} } = document;
  return {
    name: document.name,
    hash: hash('sha256', canonicalJson(document), 'hex'),
    salt: document.salt ?? document.name,
    document,
    rules: rulesOf(document, ''),
    tenantRules: new Map(
      Object.entries(tenants).map(([tenant, part]) => [
        tenant,
        rulesOf({ ...document, ...part }, tenant),
      ]),
    ),
  };
}

/** The rules for a tenant. */
export function rulesFor(policy: Policy, tenant: string): PolicyRules {
  return policy.tenantRules.get(tenant) ?? policy.rules;
}

function rulesOf(part: PartDocument, tenant: string): PolicyRules {
  const { unit = 'decision', ttl_s = TTL_SECONDS, block_s = BLOCK_SECONDS } = part.split ?? {};
  return {
    tenant,
    unit,
    ttlSeconds: ttl_s,
    blockSeconds: block_s,
    variants: variantsOf(part)
      .filter(({ percent }) => percent > 0)
      .map((variant) => variantRules(part, variant)),
  };
}

function variantsOf({ split, canary }: PartDocument): VariantDocument[] {
  if (split?.variants !== undefined) return split.variants;
  if (canary === undefined) return [{ name: '', percent: 100 }];
  const { targets, percent } = canary;
  return [
    { name: 'stable', percent: 100 - percent, except: targets },
    { name: 'canary', percent, targets },
  ];
}

/** Limits of both hold; of the rest the variant's stand in place of the policy's. */
function variantRules(part: PartDocument, variant: VariantDocument): VariantRules {
  const { name, percent } = variant;
  const merged: RulesDocument = { ...part, ...variant };
  const { ignore, max_price, ...preferences } = { ...part.provider, ...variant.provider };
  return {
    name,
    percent,
    strategy: merged.strategy ?? null,
    models: merged.models ?? null,
    preferences,
    allowances: name === '' ? [allowanceOf(part)] : [allowanceOf(part), allowanceOf(variant)],
    weights: new Map(Object.entries(merged.weights ?? {})),
    tiers: (merged.tiers ?? []).map((targets) => new Set(targets)),
    latency: merged.latency ?? null,
  };
}

function allowanceOf({ provider = {}, require = {}, targets, except }: RulesDocument): Allowance {
  return {
    provider,
    require,
    targets: targets === undefined ? null : new Set(targets),
    except: except === undefined ? null : new Set(except),
  };
}
