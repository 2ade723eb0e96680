import { offeringKey } from '../event/offering-key.js';
import type {
  CatalogueAlias,
  CatalogueModel,
  CatalogueOffering,
  CataloguePrice,
  CatalogueProvider,
} from '../event/outcome.js';

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
