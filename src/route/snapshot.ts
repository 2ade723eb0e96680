import type { CatalogueModel, CatalogueProvider } from '../event/outcome.js';
import type { HotView } from '../hotkeys/poller.js';
import type { HotState } from '../hotkeys/port.js';
import type {
  HealthValue,
  MetricsValue,
  ModelsValue,
  ModelsValueOffering,
  PoliciesValue,
  ProvidersValue,
  UptimeValue,
} from '../hotkeys/values.js';
import { type Health, healthOf } from './health.js';
import type { Policy } from './policy.js';
import { readPolicies } from './read-policies.js';

export interface Catalogue {
  models: ReadonlyMap<string, CatalogueModel>;
  /** Alias → model. */
  aliases: ReadonlyMap<string, string>;
  /** By key text, in catalogue order. */
  offerings: ReadonlyMap<string, ModelsValueOffering>;
  /** By model, in the order of their key texts. */
  offeringsByModel: ReadonlyMap<string, readonly ModelsValueOffering[]>;
  /** By provider, in catalogue order. */
  offeringsByProvider: ReadonlyMap<string, readonly ModelsValueOffering[]>;
}

export type HourRow = readonly [hour: number, success: number, failure: number];

/**
 * All that decisions read, as of one state of the hot keys. Never changed once made: a request
 * that holds one is answered from it whatever is polled meanwhile. What comes from keys is held in
 * Maps, where a model named `__proto__` is a name like any other.
 */
export interface Snapshot {
  /** Empty = made from the catalogue file, no hot keys were read yet. */
  generation: string;
  /** Null = made from the catalogue file. */
  state: HotState | null;
  catalogue: Catalogue;
  providers: ReadonlyMap<string, CatalogueProvider>;
  /** By name. */
  policies: ReadonlyMap<string, Policy>;
  /** Null = the key is not there: nothing is known of the last two minutes. */
  health: Health | null;
  /** By offering. */
  metrics: ReadonlyMap<string, MetricsValue>;
  /** By offering, newest 25 hours. */
  uptime: ReadonlyMap<string, readonly HourRow[]>;
}

/** Keys whose text could not be read, with the reason; what was known of them stands. */
export type BrokenKeys = ReadonlyMap<string, string>;

const METRICS_PREFIX = 'metrics:';

/**
 * The snapshot after a view of the hot keys. Only the keys that changed are parsed; of a key that
 * cannot be parsed the last value stands, and it is named in `broken`.
 */
export function nextSnapshot(
  previous: Snapshot | null,
  view: HotView,
): { snapshot: Snapshot; broken: BrokenKeys } {
  const { generation, state, values } = view;
  // Another generation is another database or projection: nothing of the old one stands.
  const base = previous?.generation === generation ? previous : EMPTY;
  const keys = base === EMPTY ? values.keys() : view.changedKeys;
  const next: MutableSnapshot = { ...base, generation, state };
  const broken = new Map<string, string>();
  for (const key of keys) {
    try {
      takeKey(next, base, key, values.get(key));
    } catch (error) {
      broken.set(key, error instanceof Error ? error.message : String(error));
    }
  }
  return { snapshot: next, broken };
}

/** Cold start: the catalogue alone, from a file. */
export function catalogueSnapshot(models: ModelsValue): Snapshot {
  return { ...EMPTY, catalogue: catalogueOf(models) };
}

type MutableSnapshot = { -readonly [K in keyof Snapshot]: Snapshot[K] };

const EMPTY: Snapshot = {
  generation: '',
  state: null,
  catalogue: catalogueOf({ models: [], aliases: {}, offerings: [] }),
  providers: new Map(),
  policies: new Map(),
  health: null,
  metrics: new Map(),
  uptime: new Map(),
};

function takeKey(
  next: MutableSnapshot,
  base: Snapshot,
  key: string,
  text: string | undefined,
): void {
  if (key.startsWith(METRICS_PREFIX)) {
    // Copied once a view, however many offerings changed.
    const metrics = next.metrics === base.metrics ? new Map(base.metrics) : next.metrics;
    takeMetrics(metrics as Map<string, MetricsValue>, key.slice(METRICS_PREFIX.length), text);
    next.metrics = metrics;
    return;
  }
  switch (key) {
    case 'models':
      next.catalogue = catalogueOf(parse<ModelsValue>(text) ?? EMPTY_MODELS);
      break;
    case 'providers':
      next.providers = new Map(
        parse<ProvidersValue>(text)?.providers.map((provider) => [provider.name, provider]),
      );
      break;
    case 'policies':
      takePolicies(next, base, parse<PoliciesValue>(text) ?? {});
      break;
    case 'health':
      next.health = healthOf(parse<HealthValue>(text), base.health);
      break;
    case 'uptime':
      next.uptime = new Map(Object.entries(parse<UptimeValue>(text) ?? {}));
      break;
    default: // A key of a newer writer.
  }
}

/** Of a policy that is not readable the last good one stands, and it is named. */
function takePolicies(next: MutableSnapshot, base: Snapshot, value: PoliciesValue): void {
  const { policies, broken } = readPolicies(value, base.policies);
  next.policies = policies;
  if (broken.length > 0) throw new Error(broken.join('; '));
}

const EMPTY_MODELS: ModelsValue = { models: [], aliases: {}, offerings: [] };

function takeMetrics(
  metrics: Map<string, MetricsValue>,
  offering: string,
  text: string | undefined,
): void {
  const value = parse<MetricsValue>(text);
  if (value === null) metrics.delete(offering);
  else metrics.set(offering, value);
}

function parse<T extends object>(text: string | undefined): T | null {
  if (text === undefined) return null;
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new TypeError('not a JSON object');
  return value as T;
}

function catalogueOf(value: ModelsValue): Catalogue {
  const offeringsByModel = groupBy(value.offerings, (it) => it.model);
  for (const offerings of offeringsByModel.values()) offerings.sort(byKeyText);
  return {
    models: new Map(value.models.map((model) => [model.name, model])),
    aliases: new Map(Object.entries(value.aliases)),
    offerings: new Map(value.offerings.map((it) => [it.offering, it])),
    offeringsByModel,
    offeringsByProvider: groupBy(value.offerings, (it) => it.provider),
  };
}

function groupBy(
  offerings: readonly ModelsValueOffering[],
  nameOf: (offering: ModelsValueOffering) => string,
): Map<string, ModelsValueOffering[]> {
  const groups = new Map<string, ModelsValueOffering[]>();
  for (const offering of offerings) {
    const group = groups.get(nameOf(offering));
    if (group === undefined) groups.set(nameOf(offering), [offering]);
    else group.push(offering);
  }
  return groups;
}

/** UTF-16 code units: the same order in every process, whatever its locale. */
function byKeyText(a: ModelsValueOffering, b: ModelsValueOffering): number {
  return a.offering < b.offering ? -1 : a.offering > b.offering ? 1 : 0;
}
