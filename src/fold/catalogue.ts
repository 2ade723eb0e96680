import { isPriceBoundary } from '../event/input-class.js';
import { offeringKey } from '../event/offering-key.js';
import type { CataloguePrice, DecodedRecord } from '../event/outcome.js';
import { brokenRuleOfCatalogue } from '../event/rules.js';
import { type FoldContext, parksEvent, type Verdict, verdictOn } from './context.js';
import type { Cell } from './delta.js';
import { TABLES, type TableName } from './tables.js';

type CatalogueRecord = Extract<DecodedRecord, { type: `Catalogue${string}` } | { type: 'Policy' }>;

/** Catalogue and policies: the last record of a name stands. */
export function foldCatalogueRecord(context: FoldContext, record: CatalogueRecord): void {
  if (parksEvent(context, 0, judge, record)) return;
  context.result.counts.read += 1;
  context.result.counts.applied += 1;
  const { table, key, values, mark } = rowOf(record);
  const row = context.result.delta.row(table, [context.state.partition, ...key]);
  values.forEach((value, index) => {
    row[TABLES[table].keys.length + index] = value;
  });
  context.result.marks.set(mark, null);
}

function judge(record: CatalogueRecord): Verdict | null {
  const broken = verdictOn(brokenRuleOfCatalogue(record));
  if (broken !== null || record.type !== 'CataloguePrice') return broken;
  if (hasKnownBoundaries(record.value)) return null;
  return {
    code: 'price_boundary',
    reason: 'tiers must start above 0, 128000, 200000, 272000 or 512000 input tokens',
  };
}

function hasKnownBoundaries(price: CataloguePrice): boolean {
  return price.tiers.every((tier) => isPriceBoundary(tier.above_input_tokens));
}

interface CatalogueRow {
  table: TableName;
  key: Cell[];
  values: Cell[];
  /** The hot key that holds it. */
  mark: string;
}

function rowOf(record: CatalogueRecord): CatalogueRow {
  switch (record.type) {
    case 'CatalogueModel': {
      const { name, display_name, capabilities, context_tokens, output_tokens_max, enabled } =
        record.value;
      const values = [
        display_name,
        JSON.stringify(capabilities),
        context_tokens,
        output_tokens_max,
        enabled,
      ];
      return { table: 'model', key: [name], values, mark: 'models' };
    }
    case 'CatalogueProvider': {
      const { name, display_name, enabled } = record.value;
      return { table: 'provider', key: [name], values: [display_name, enabled], mark: 'providers' };
    }
    case 'CatalogueOffering': {
      const value = record.value;
      const values = [
        value.model,
        value.provider,
        value.deployment,
        value.region,
        value.call_as,
        value.capabilities === null ? null : JSON.stringify(value.capabilities),
        value.context_tokens,
        value.output_tokens_max,
        value.requests_per_minute,
        value.tokens_per_minute,
        value.weight,
        value.priority,
        value.enabled,
      ];
      return { table: 'offering', key: [offeringKey(value)], values, mark: 'models' };
    }
    case 'CatalogueAlias':
      return {
        table: 'alias',
        key: [record.value.name],
        values: [record.value.model],
        mark: 'models',
      };
    case 'CataloguePrice': {
      const { model, provider, deployment, valid_from, source, tiers } = record.value;
      return {
        table: 'price',
        key: [model, provider, deployment, valid_from],
        values: [source, JSON.stringify(tiers)],
        mark: 'models',
      };
    }
    case 'Policy': {
      const { name, document, hash } = record.value;
      return { table: 'policy', key: [name], values: [document, hash], mark: 'policies' };
    }
  }
}
