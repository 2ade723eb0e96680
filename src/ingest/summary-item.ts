import type { OutcomeSummary } from '../event/outcome.js';
import { providerName } from '../event/provider.js';
import { brokenRuleOfSummary } from '../event/rules.js';
import {
  broken,
  type Item,
  identityOf,
  isItem,
  missingField,
  type Read,
  unknownField,
} from './item.js';

const DEFAULTS = {
  tenant: '',
  region: '',
  deployment: '',
  successful_requests: null,
  failed_requests: null,
  duration_ms_mean: null,
  cost_nano_usd: null,
  total_tokens: null,
} as const satisfies Partial<OutcomeSummary>;

export const SUMMARY_REQUIRED = ['occurred_at', 'model', 'provider', 'total_requests'];
const KNOWN = new Set([...Object.keys(DEFAULTS), ...SUMMARY_REQUIRED, 'source', 'id']);

/** Metrics as providers' monitors have them: seconds, a ratio, US dollars. */
const METRICS_REQUIRED = [
  'model_id',
  'provider_id',
  'response_time',
  'success_rate',
  'total_requests',
];
const METRICS_KNOWN = new Set([
  ...METRICS_REQUIRED,
  'tenant',
  'region',
  'deployment',
  'occurred_at',
  'source',
  'id',
  'successful_requests',
  'failed_requests',
  'total_cost',
  'total_tokens',
]);

/**
 * A summary from JSON: in the event's field names, or as metrics of a model at a provider, which
 * count as of now where they name no time.
 */
export function readSummary(item: unknown, nowMs: number): Read<OutcomeSummary> {
  if (!isItem(item)) return broken('', 'an object');
  const isMetrics = 'model_id' in item || 'provider_id' in item;
  const known = isMetrics ? METRICS_KNOWN : KNOWN;
  const required = isMetrics ? METRICS_REQUIRED : SUMMARY_REQUIRED;
  const wrong = unknownField(item, known) ?? missingField(item, required);
  if (wrong !== null) return { broken: wrong };
  const identity = identityOf(item, 'id');
  if ('broken' in identity) return identity;
  const fields = isMetrics ? fieldsOfMetrics(item, nowMs) : { value: item };
  if ('broken' in fields) return fields;
  const { source: _source, ...own } = fields.value;
  const provider = own['provider'];
  const value = {
    ...DEFAULTS,
    ...own,
    id: identity.value,
    provider: typeof provider === 'string' ? providerName(provider) : provider,
    // What it holds is checked next, field by field.
  } as OutcomeSummary;
  const rule = brokenRuleOfSummary(value);
  return rule === null ? { value } : { broken: rule };
}

function fieldsOfMetrics(item: Item, nowMs: number): Read<Item> {
  const { model_id, provider_id, response_time, success_rate, total_cost, ...fields } = item;
  if (!isAtLeast0(response_time)) return broken('response_time', 'a number of seconds from 0');
  if (!isAtLeast0(success_rate) || success_rate > 1) {
    return broken('success_rate', 'a number of 0..1');
  }
  const hasCost = total_cost !== undefined && total_cost !== null;
  if (hasCost && !isAtLeast0(total_cost)) return broken('total_cost', 'null or USD from 0');
  const total = fields['total_requests'];
  return {
    value: {
      occurred_at: nowMs,
      // Of a ratio and a count the successes follow; what failed and what was cancelled do not.
      successful_requests: typeof total === 'number' ? Math.round(success_rate * total) : null,
      ...fields,
      model: model_id,
      provider: provider_id,
      duration_ms_mean: Math.round(response_time * 1000),
      cost_nano_usd: hasCost ? Math.round((total_cost as number) * 1e9) : null,
    },
  };
}

function isAtLeast0(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}
