import type { ModelInfo } from '@pydantic/genai-prices';
import { AiRouterError, type ErrorCode } from '../errors.js';
import { offeringKey } from '../event/offering-key.js';
import type { CatalogueOffering } from '../event/outcome.js';
import { type CatalogueEntry, identityOf, priceKeyOf } from './entry.js';
import { type Limits, limitsOf, type SourceModel, usualLimits } from './limits.js';
import type { DatedPrice } from './price-of.js';
import { pricesOf } from './prices.js';

/** A model in one of the sources. */
interface SourceId {
  provider: string;
  id: string;
}

/** The table that joins both sources: `join.json`. */
export interface JoinTable {
  /** Names are OpenTelemetry's `gen_ai.provider.name` values, or a provider's own in their style. */
  providers: readonly { name: string; display_name: string }[];
  models: readonly {
    name: string;
    display_name: string;
    /** The table's own words for a model that the source of limits does not know; null = its. */
    capabilities: readonly string[] | null;
    aliases: readonly string[];
  }[];
  offerings: readonly JoinedOffering[];
}

export interface JoinedOffering {
  model: string;
  provider: string;
  deployment?: string;
  region?: string;
  call_as: string;
  prices: SourceId;
  limits: SourceId | null;
}

/** The sources; undefined = they have no such model. */
export interface Sources {
  prices: (provider: string, id: string) => ModelInfo | undefined;
  limits: (provider: string, id: string) => SourceModel | undefined;
}

/** A price that cannot be carried over: the offering is listed all the same, its price unknown. */
export interface RefusedPrice {
  offering: string;
  source: string;
  code: ErrorCode;
  reason: string;
}

export interface Assembled {
  /** Providers, models, aliases, offerings, prices; within each by name. */
  entries: CatalogueEntry[];
  refused: RefusedPrice[];
}

const EMBEDDINGS = 'embeddings';

/** The catalogue of the table and its sources: the same input gives the same bytes. */
export function assemble(table: JoinTable, sources: Sources): Assembled {
  const rows = table.offerings.map((offering) => resolved(offering, table, sources));
  const models = new Map(table.models.map(({ name }) => [name, modelLimits(name, table, rows)]));
  const priced = rows.map((row) => ({ row, price: priceOf(row, models.get(row.joined.model)!) }));
  const entries: CatalogueEntry[] = [
    ...table.providers.map(({ name, display_name }): CatalogueEntry => {
      return { record: 'CatalogueProvider', value: { name, display_name, enabled: true } };
    }),
    ...table.models.map((model) => modelEntry(model, models.get(model.name)!)),
    ...table.models.flatMap(({ name: model, aliases }) =>
      aliases.map((name): CatalogueEntry => ({ record: 'CatalogueAlias', value: { name, model } })),
    ),
    ...rows.map((row) => offeringEntry(row, models.get(row.joined.model)!)),
    ...priced.flatMap(({ row, price }) =>
      price instanceof AiRouterError ? [] : entriesOf(row, price),
    ),
  ];
  return {
    entries: distinct(entries),
    refused: priced.flatMap(({ row, price }) =>
      price instanceof AiRouterError ? [refusalOf(row, price)] : [],
    ),
  };
}

interface Row {
  joined: JoinedOffering;
  offering: Pick<CatalogueOffering, 'model' | 'provider' | 'deployment' | 'region'>;
  prices: ModelInfo;
  limits: Limits;
}

function resolved(joined: JoinedOffering, table: JoinTable, sources: Sources): Row {
  const { model, provider, deployment = '', region = '', prices, limits } = joined;
  const offering = { model, provider, deployment, region };
  const priced = sources.prices(prices.provider, prices.id);
  const limited = limits === null ? undefined : sources.limits(limits.provider, limits.id);
  const isNamed = (list: readonly { name: string }[], name: string): boolean =>
    list.some((item) => item.name === name);
  if (
    priced === undefined ||
    (limits !== null && limited === undefined) ||
    !isNamed(table.models, model) ||
    !isNamed(table.providers, provider)
  ) {
    throw new Error(`${offeringKey(offering)}: the joining table names what does not exist`);
  }
  const known = limited === undefined ? null : limitsOf(limited);
  return {
    joined,
    offering,
    prices: priced,
    limits: {
      capabilities: known?.capabilities ?? null,
      context_tokens: known?.context_tokens ?? priced.context_window ?? null,
      output_tokens_max: known?.output_tokens_max ?? null,
    },
  };
}

function modelLimits(model: string, table: JoinTable, rows: readonly Row[]): Limits {
  const own = table.models.find(({ name }) => name === model)?.capabilities;
  const usual = usualLimits(
    rows.filter((row) => row.joined.model === model).map((row) => row.limits),
  );
  return { ...usual, capabilities: own ? [...own] : usual.capabilities };
}

function modelEntry(model: JoinTable['models'][number], limits: Limits): CatalogueEntry {
  const { name, display_name } = model;
  const { context_tokens, output_tokens_max } = limits;
  const capabilities = limits.capabilities ?? [];
  return {
    record: 'CatalogueModel',
    value: { name, display_name, capabilities, context_tokens, output_tokens_max, enabled: true },
  };
}

/** An offering says only what differs from its model. */
function offeringEntry(row: Row, model: Limits): CatalogueEntry {
  const differing = <T>(own: T | null, usual: T | null): T | null =>
    String(own) === String(usual) ? null : own;
  return {
    record: 'CatalogueOffering',
    value: {
      ...row.offering,
      call_as: row.joined.call_as,
      capabilities: differing(row.limits.capabilities, model.capabilities),
      context_tokens: differing(row.limits.context_tokens, model.context_tokens),
      output_tokens_max: differing(row.limits.output_tokens_max, model.output_tokens_max),
      requests_per_minute: null,
      tokens_per_minute: null,
      weight: 1,
      priority: 0,
      enabled: true,
    },
  };
}

function priceOf(row: Row, model: Limits): DatedPrice[] | AiRouterError {
  try {
    return pricesOf(row.prices, model.capabilities?.includes(EMBEDDINGS) ?? false);
  } catch (error) {
    if (error instanceof AiRouterError) return error;
    throw error;
  }
}

function entriesOf(row: Row, prices: readonly DatedPrice[]): CatalogueEntry[] {
  const { model, provider, deployment } = row.offering;
  const source = sourceOf(row);
  return prices.map(({ valid_from, tiers }) => ({
    record: 'CataloguePrice',
    value: { model, provider, deployment, valid_from, source, tiers: [...tiers] },
  }));
}

function refusalOf(row: Row, error: AiRouterError): RefusedPrice {
  return {
    offering: priceKeyOf(row.offering),
    source: sourceOf(row),
    code: error.code,
    reason: error.message,
  };
}

/** Without the source's version, so that an unchanged price stays the same record. */
function sourceOf(row: Row): string {
  return `genai-prices ${row.joined.prices.provider}/${row.joined.prices.id}`;
}

/** Regions of one offering share its price; two different ones under one name are a defect. */
function distinct(entries: readonly CatalogueEntry[]): CatalogueEntry[] {
  const byIdentity = new Map<string, CatalogueEntry>();
  for (const entry of entries) {
    const identity = identityOf(entry);
    const other = byIdentity.get(identity);
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(entry)) {
      throw new Error(`${identity}: the joining table describes it twice`);
    }
    byIdentity.set(identity, entry);
  }
  return [...byIdentity.values()];
}
