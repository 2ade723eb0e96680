import {
  CATALOGUE_ALIAS,
  CATALOGUE_MODEL,
  CATALOGUE_OFFERING,
  CATALOGUE_PRICE,
  CATALOGUE_PROVIDER,
  POLICY,
} from './catalogue-rules.js';
import type { Rule } from './checks.js';
import { DECISION } from './decision-rules.js';
import type {
  Decision,
  DecodedRecord,
  FoldedOutcome,
  Inflight,
  OutcomeSummary,
  RegisteredSchema,
  RequestOutcome,
} from './outcome.js';
import { FOLDED_OUTCOME, INFLIGHT, MADE_OUTCOME, SCHEMA, SUMMARY } from './outcome-rules.js';

/** What is wrong with a value, and where: `outcomes[3].model` must be `rule`. */
export interface BrokenRule {
  field: string;
  rule: string;
}

/** The first broken rule of an outcome as the fold reads it, or null. Called for every event. */
export function brokenRule(outcome: FoldedOutcome): BrokenRule | null {
  return firstBroken(FOLDED_OUTCOME, outcome);
}

/** The same for a whole outcome before it is encoded, whoever made it and whatever it holds. */
export function brokenRuleOfOutcome(outcome: RequestOutcome): BrokenRule | null {
  return firstBroken(MADE_OUTCOME, outcome) ?? firstBroken(FOLDED_OUTCOME, outcome);
}

export function brokenRuleOfInflight(gauge: Inflight): BrokenRule | null {
  return firstBroken(INFLIGHT, gauge);
}

export function brokenRuleOfSummary(summary: OutcomeSummary): BrokenRule | null {
  return firstBroken(SUMMARY, summary);
}

export function brokenRuleOfSchema(schema: RegisteredSchema): BrokenRule | null {
  return firstBroken(SCHEMA, schema);
}

export function brokenRuleOfDecision(decision: Decision): BrokenRule | null {
  return firstBroken(DECISION, decision);
}

/** A record of the catalogue or a policy. */
export type CatalogueRecord = Extract<
  DecodedRecord,
  { type: `Catalogue${string}` } | { type: 'Policy' }
>;

export function brokenRuleOfCatalogue(record: CatalogueRecord): BrokenRule | null {
  switch (record.type) {
    case 'CatalogueModel':
      return firstBroken(CATALOGUE_MODEL, record.value);
    case 'CatalogueProvider':
      return firstBroken(CATALOGUE_PROVIDER, record.value);
    case 'CatalogueOffering':
      return firstBroken(CATALOGUE_OFFERING, record.value);
    case 'CatalogueAlias':
      return firstBroken(CATALOGUE_ALIAS, record.value);
    case 'CataloguePrice':
      return firstBroken(CATALOGUE_PRICE, record.value);
    case 'Policy':
      return firstBroken(POLICY, record.value);
  }
}

/** The rules by record, in words, for the reference. */
export const RULES: Readonly<Record<string, readonly { field: string; rule: string }[]>> = {
  RequestOutcome: [...FOLDED_OUTCOME, ...MADE_OUTCOME],
  Inflight: INFLIGHT,
  OutcomeSummary: SUMMARY,
  CatalogueModel: CATALOGUE_MODEL,
  CatalogueProvider: CATALOGUE_PROVIDER,
  CatalogueOffering: CATALOGUE_OFFERING,
  CatalogueAlias: CATALOGUE_ALIAS,
  CataloguePrice: CATALOGUE_PRICE,
  Policy: POLICY,
  Decision: DECISION,
  Schema: SCHEMA,
};

function firstBroken<R>(rules: readonly Rule<R>[], record: R): BrokenRule | null {
  for (const rule of rules) {
    if (!rule.holds(rule.of(record))) return { field: rule.field, rule: rule.rule };
  }
  return null;
}
