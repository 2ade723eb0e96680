import type { RequestOutcome, Status } from '../event/outcome.js';
import { providerName } from '../event/provider.js';
import { brokenRuleOfOutcome } from '../event/rules.js';
import { statusOfHttp } from '../event/status.js';
import { parseUuid } from '../event/uuid.js';
import {
  broken,
  type Item,
  identityOf,
  isItem,
  missingField,
  type Read,
  unknownField,
} from './item.js';

/** The defaults of the schema. */
const DEFAULTS = {
  tenant: '',
  region: '',
  deployment: '',
  request_id: '',
  attempt: 0,
  final: null,
  hedged: false,
  operation: 'other',
  requested_model: null,
  error_type: null,
  http_status: null,
  stream: false,
  ttft_ms: null,
  input_tokens: null,
  output_tokens: null,
  cached_input_tokens: null,
  cache_write_tokens: null,
  reasoning_tokens: null,
  cost_nano_usd: null,
  retry_after_ms: null,
  ratelimit_remaining: null,
  decision: null,
} as const satisfies Partial<RequestOutcome>;

const REQUIRED = ['occurred_at', 'model', 'provider', 'duration_ms'];
const KNOWN = new Set([
  ...Object.keys(DEFAULTS),
  ...REQUIRED,
  'event_id',
  'source',
  'id',
  'status',
]);
const KNOWN_OF_DECISION = new Set(['decision_id', 'rank', 'propensity']);

/** An outcome from JSON: its own field names, ids as text, defaults for what is absent. */
export function readOutcome(item: unknown): Read<RequestOutcome> {
  if (!isItem(item)) return broken('', 'an object');
  const wrong = unknownField(item, KNOWN) ?? missingField(item, REQUIRED);
  if (wrong !== null) return { broken: wrong };
  const identity = identityOf(item, 'event_id');
  if ('broken' in identity) return identity;
  const decision = readDecision(item['decision']);
  if ('broken' in decision) return decision;
  const { source: _source, id: _id, ...fields } = item;
  const value = {
    ...DEFAULTS,
    ...fields,
    event_id: identity.value,
    provider: mapped(item['provider']),
    status: item['status'] ?? statusOf(item),
    decision: decision.value,
    // What it holds is checked next, field by field.
  } as RequestOutcome;
  const rule = brokenRuleOfOutcome(value);
  return rule === null ? { value } : { broken: rule };
}

function readDecision(given: unknown): Read<RequestOutcome['decision']> {
  if (given === undefined || given === null) return { value: null };
  if (!isItem(given)) return broken('decision', 'null or an object');
  const unknown = unknownField(given, KNOWN_OF_DECISION);
  if (unknown !== null) return broken(`decision.${unknown.field}`, unknown.rule);
  const text = given['decision_id'];
  const decisionId = typeof text === 'string' ? parseUuid(text) : null;
  if (decisionId === null) return broken('decision.decision_id', 'the text of a UUID');
  const value: object = { ...given, decision_id: decisionId };
  return { value: value as RequestOutcome['decision'] };
}

function mapped(provider: unknown): unknown {
  return typeof provider === 'string' ? providerName(provider) : provider;
}

function statusOf(item: Item): Status | null {
  // Null was given, which no status is: its rule says so.
  if (item['status'] === null) return null;
  const httpStatus = item['http_status'];
  return statusOfHttp(typeof httpStatus === 'number' ? httpStatus : null);
}
