import type { ErrorCode } from '../errors.js';
import { encodeRecord } from '../event/encode.js';
import { INPUT_CLASS_LIMITS, isPriceBoundary } from '../event/input-class.js';
import { offeringKey } from '../event/offering-key.js';
import type {
  CatalogueAlias,
  CatalogueModel,
  CatalogueOffering,
  CataloguePrice,
  CatalogueProvider,
} from '../event/outcome.js';
import { brokenRuleOfCatalogue } from '../event/rules.js';

/** The records of the catalogue topic, by record name. */
export interface CatalogueRecords {
  CatalogueProvider: CatalogueProvider;
  CatalogueModel: CatalogueModel;
  CatalogueAlias: CatalogueAlias;
  CatalogueOffering: CatalogueOffering;
  CataloguePrice: CataloguePrice;
}

/** One record of the catalogue topic; the last one of a name stands. */
export type CatalogueEntry = {
  [R in keyof CatalogueRecords]: { record: R; value: CatalogueRecords[R] };
}[keyof CatalogueRecords];

/** Key of the record in the topic: the name of what it describes. */
export function topicKeyOf(entry: CatalogueEntry): string {
  switch (entry.record) {
    case 'CatalogueOffering':
      return offeringKey(entry.value);
    case 'CataloguePrice':
      return priceKeyOf(entry.value);
    default:
      return entry.value.name;
  }
}

/** What a price is of; it has one for each moment from which a price is valid. */
export function priceKeyOf(
  price: Pick<CataloguePrice, 'model' | 'provider' | 'deployment'>,
): string {
  const { model, provider, deployment } = price;
  return offeringKey({ model, provider, deployment, region: '' });
}

/** Two entries of one identity describe the same thing: the later one replaces the earlier. */
export function identityOf(entry: CatalogueEntry): string {
  const moment = entry.record === 'CataloguePrice' ? ` ${entry.value.valid_from}` : '';
  return `${entry.record} ${topicKeyOf(entry)}${moment}`;
}

/**
 * The record's value for the log. Throws `rule_broken` where a field does not fit its Avro type.
 */
export function encodeEntry(entry: CatalogueEntry): Buffer {
  // Record name and value belong together, which the type of a union's members cannot say.
  return encodeRecord(entry.record, entry.value as never);
}

/** Why whoever folds the topic would park the entry; null = it would not. */
export function brokenRuleOfEntry(
  entry: CatalogueEntry,
): { code: ErrorCode; field: string; rule: string } | null {
  const record = { type: entry.record, value: entry.value } as Parameters<
    typeof brokenRuleOfCatalogue
  >[0];
  const broken = brokenRuleOfCatalogue(record);
  if (broken !== null) return { code: 'rule_broken', ...broken };
  if (entry.record !== 'CataloguePrice') return null;
  const index = entry.value.tiers.findIndex((tier) => !isPriceBoundary(tier.above_input_tokens));
  return index === -1
    ? null
    : {
        code: 'price_boundary',
        field: `tiers[${index}].above_input_tokens`,
        rule: `one of 0, ${INPUT_CLASS_LIMITS.join(', ')}`,
      };
}
