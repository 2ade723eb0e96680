import { AiRouterError } from '../errors.js';
import { providerName } from '../event/provider.js';
import {
  brokenRuleOfEntry,
  type CatalogueEntry,
  type CatalogueRecords,
  encodeEntry,
  identityOf,
} from './entry.js';

/**
 * A user's own entries: a JSON object of lists, each item with the fields of its record. Fields
 * that have a default may be left out; a field that is not one of the record's is refused, since
 * it would be lost without a word.
 */

interface Shape {
  record: keyof CatalogueRecords;
  required: readonly string[];
  /** Fields that may be left out, as the schema of the record has them. */
  defaults: Readonly<Record<string, unknown>>;
}

/** Twenty times the largest public catalogue; a document is held whole in memory. */
const ITEMS_MAX = 100_000;

const LISTS: Readonly<Record<string, Shape>> = {
  providers: {
    record: 'CatalogueProvider',
    required: ['name'],
    defaults: { display_name: '', enabled: true },
  },
  models: {
    record: 'CatalogueModel',
    required: ['name'],
    defaults: {
      display_name: '',
      capabilities: [],
      context_tokens: null,
      output_tokens_max: null,
      enabled: true,
    },
  },
  aliases: { record: 'CatalogueAlias', required: ['name', 'model'], defaults: {} },
  offerings: {
    record: 'CatalogueOffering',
    required: ['model', 'provider', 'call_as'],
    defaults: {
      deployment: '',
      region: '',
      capabilities: null,
      context_tokens: null,
      output_tokens_max: null,
      requests_per_minute: null,
      tokens_per_minute: null,
      weight: 1,
      priority: 0,
      enabled: true,
    },
  },
  prices: {
    record: 'CataloguePrice',
    required: ['model', 'provider', 'valid_from', 'tiers'],
    defaults: { deployment: '', source: '' },
  },
};

const TIER: Pick<Shape, 'required' | 'defaults'> = {
  required: ['above_input_tokens'],
  defaults: { input: null, cached_input: null, cache_write: null, output: null, request: null },
};

/**
 * The entries of a document; throws `invalid_usage`, or `price_boundary`, with the
 * field and the rule it breaks.
 */
export function parseDocument(text: string): CatalogueEntry[] {
  const document = objectOf(jsonOf(text), 'the document');
  const entries: CatalogueEntry[] = [];
  const places = new Map<string, string>();
  for (const [list, items] of Object.entries(document)) {
    const shape = LISTS[list];
    if (shape === undefined) {
      throw invalid(list, `one of ${Object.keys(LISTS).join(', ')}`);
    }
    if (!Array.isArray(items) || items.length > ITEMS_MAX) {
      throw invalid(list, `a list of at most ${ITEMS_MAX} items`);
    }
    items.forEach((item, index) => {
      const place = `${list}[${index}]`;
      const entry = entryOf(item, shape, place);
      const identity = identityOf(entry);
      const earlier = places.get(identity);
      if (earlier !== undefined) throw invalid(place, `another one than ${earlier}`);
      places.set(identity, place);
      entries.push(entry);
    });
  }
  return entries;
}

function entryOf(item: unknown, shape: Shape, place: string): CatalogueEntry {
  const value = fieldsOf(item, shape, place);
  if (shape.record === 'CataloguePrice') {
    value['valid_from'] = momentOf(value['valid_from']);
    const tiers = value['tiers'];
    if (Array.isArray(tiers)) {
      value['tiers'] = tiers.map((tier, index) => fieldsOf(tier, TIER, `${place}.tiers[${index}]`));
    }
  }
  if (shape.record === 'CatalogueProvider') value['name'] = canonical(value['name']);
  if (shape.record === 'CatalogueOffering' || shape.record === 'CataloguePrice') {
    value['provider'] = canonical(value['provider']);
  }
  // What the value is, is checked here and nowhere assumed before.
  const entry = { record: shape.record, value } as unknown as CatalogueEntry;
  checkTypes(entry, place);
  const broken = brokenRuleOfEntry(entry);
  if (broken !== null) {
    const code = broken.code === 'price_boundary' ? 'price_boundary' : 'invalid_usage';
    throw invalid(`${place}.${broken.field}`, broken.rule, code);
  }
  return entry;
}

/** The object with its defaults; neither a field too many nor one too few. */
function fieldsOf(
  item: unknown,
  shape: Pick<Shape, 'required' | 'defaults'>,
  place: string,
): Record<string, unknown> {
  const given = objectOf(item, place);
  const missing = shape.required.find((field) => !Object.hasOwn(given, field));
  if (missing !== undefined) throw invalid(`${place}.${missing}`, 'given');
  const known = [...shape.required, ...Object.keys(shape.defaults)];
  const unknown = Object.keys(given).find((field) => !known.includes(field));
  if (unknown !== undefined) {
    throw invalid(`${place}.${unknown}`, `left out: fields are ${known.join(', ')}`);
  }
  return { ...shape.defaults, ...given };
}

/** Milliseconds since the epoch, or an RFC 3339 date or UTC time as people write them. */
function momentOf(value: unknown): unknown {
  const isDate = typeof value === 'string' && /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(value);
  const ms = isDate ? Date.parse(value) : NaN;
  return Number.isNaN(ms) ? value : ms;
}

function canonical(provider: unknown): unknown {
  return typeof provider === 'string' ? providerName(provider) : provider;
}

function checkTypes(entry: CatalogueEntry, place: string): void {
  try {
    encodeEntry(entry);
  } catch (error) {
    if (!(error instanceof AiRouterError)) throw error;
    throw invalid(`${place}.${error.field ?? ''}`, error.rule ?? error.message);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AiRouterError('invalid_usage', 'the document must be JSON', {
      field: '',
      rule: 'JSON',
      cause,
    });
  }
}

function objectOf(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(place, 'an object');
  }
  return value as Record<string, unknown>;
}

function invalid(
  field: string,
  rule: string,
  code: 'invalid_usage' | 'price_boundary' = 'invalid_usage',
): AiRouterError {
  return new AiRouterError(code, `${field} must be ${rule}`, { field, rule });
}
