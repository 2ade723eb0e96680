import type { PoolClient } from 'pg';
import type { CatalogueModel, CatalogueProvider, PriceTier } from '../event/outcome.js';
import type {
  ModelsValue,
  ModelsValueOffering,
  OfferingPrice,
  PoliciesValue,
  ProvidersValue,
} from '../hotkeys/values.js';

/** The value of `models`: the catalogue with its relations, in name order. */
export async function readModelsValue(client: PoolClient, schema: string): Promise<ModelsValue> {
  const models = await client.query<CatalogueModel & { capabilities: string }>(
    `select name, display_name, capabilities, context_tokens, output_tokens_max, enabled
     from "${schema}".model order by name`,
  );
  const aliases = await client.query<{ name: string; model: string }>(
    `select name, model from "${schema}".alias where model <> '' order by name`,
  );
  const prices = await readPrices(client, schema);
  const offerings = await client.query<OfferingRow>(
    `select offering, model, provider, deployment, region, call_as, capabilities, context_tokens,
       output_tokens_max, requests_per_minute, tokens_per_minute, weight, priority, enabled
     from "${schema}".offering order by offering`,
  );
  return {
    models: models.rows.map((row) => ({ ...row, capabilities: JSON.parse(row.capabilities) })),
    aliases: Object.fromEntries(aliases.rows.map((row) => [row.name, row.model])),
    offerings: offerings.rows.map((row) => ({
      ...row,
      capabilities: row.capabilities === null ? null : JSON.parse(row.capabilities),
      prices:
        prices.get(priceKey(row.model, row.provider, row.deployment)) ??
        prices.get(priceKey(row.model, row.provider, '')) ??
        [],
    })),
  };
}

export async function readProvidersValue(
  client: PoolClient,
  schema: string,
): Promise<ProvidersValue> {
  const { rows } = await client.query<CatalogueProvider>(
    `select name, display_name, enabled from "${schema}".provider order by name`,
  );
  return { providers: rows };
}

export async function readPoliciesValue(
  client: PoolClient,
  schema: string,
): Promise<PoliciesValue> {
  const { rows } = await client.query<{ name: string; document: string; hash: string }>(
    `select name, document, hash from "${schema}".policy where document <> '' order by name`,
  );
  return Object.fromEntries(rows.map(({ name, document, hash }) => [name, { document, hash }]));
}

type OfferingRow = Omit<ModelsValueOffering, 'capabilities' | 'prices'> & {
  capabilities: string | null;
};

const priceKey = (model: string, provider: string, deployment: string): string =>
  JSON.stringify([model, provider, deployment]);

async function readPrices(
  client: PoolClient,
  schema: string,
): Promise<Map<string, OfferingPrice[]>> {
  const { rows } = await client.query<{
    model: string;
    provider: string;
    deployment: string;
    valid_from: number;
    tiers: string;
  }>(
    `select model, provider, deployment, valid_from, tiers from "${schema}".price
     order by model, provider, deployment, valid_from`,
  );
  const prices = new Map<string, OfferingPrice[]>();
  for (const row of rows) {
    const key = priceKey(row.model, row.provider, row.deployment);
    const list = prices.get(key) ?? [];
    prices.set(key, list);
    list.push({ valid_from: row.valid_from, tiers: JSON.parse(row.tiers) as PriceTier[] });
  }
  return prices;
}
