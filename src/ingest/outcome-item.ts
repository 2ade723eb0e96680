import type { RequestOutcome, Status, Uuid } from '../event/outcome.js';
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

export const OUTCOME_REQUIRED = ['occurred_at', 'model', 'provider', 'duration_ms'];

const KNOWN_OF_DECISION = new Set(['decision_id', 'rank', 'propensity']);

/** An outcome from JSON: its own field names, ids as text, defaults for what is absent. */
export function readOutcome(item: unknown): Read<RequestOutcome> {
  if (!isItem(item)) return broken('', 'an object');
  const wrong = unknownField(item, KNOWN) ?? missingField(item, OUTCOME_REQUIRED);
  if (wrong !== null) return { broken: wrong };
  const identity = identityOf(item, 'event_id');
  if ('broken' in identity) return identity;
  const decision = readDecision(item['decision']);
  if ('broken' in decision) return decision;
  // What it holds is checked next, field by field.
  const value = outcomeOf(item, identity.value, decision.value) as RequestOutcome;
  const rule = brokenRuleOfOutcome(value);
  return rule === null ? { value } : { broken: rule };
}

/**
 * Every field in the order of the schema, with the schema's defaults. Written out, since objects of
 * one shape are several times as fast to make and to check as merged ones.
 */
function outcomeOf(item: Item, eventId: Uuid, decision: RequestOutcome['decision']) {
  return {
    event_id: eventId,
    occurred_at: item['occurred_at'],
    tenant: given(item['tenant'], ''),
    region: given(item['region'], ''),
    deployment: given(item['deployment'], ''),
    request_id: given(item['request_id'], ''),
    attempt: given(item['attempt'], 0),
    final: given(item['final'], null),
    hedged: given(item['hedged'], false),
    operation: given(item['operation'], 'other'),
    model: item['model'],
    provider: mapped(item['provider']),
    requested_model: given(item['requested_model'], null),
    status: given(item['status'], statusOf(item['http_status'])),
    error_type: given(item['error_type'], null),
    http_status: given(item['http_status'], null),
    stream: given(item['stream'], false),
    duration_ms: item['duration_ms'],
    ttft_ms: given(item['ttft_ms'], null),
    input_tokens: given(item['input_tokens'], null),
    output_tokens: given(item['output_tokens'], null),
    cached_input_tokens: given(item['cached_input_tokens'], null),
    cache_write_tokens: given(item['cache_write_tokens'], null),
    reasoning_tokens: given(item['reasoning_tokens'], null),
    cost_nano_usd: given(item['cost_nano_usd'], null),
    retry_after_ms: given(item['retry_after_ms'], null),
    ratelimit_remaining: given(item['ratelimit_remaining'], null),
    decision,
  } satisfies Record<keyof RequestOutcome, unknown>;
}

const KNOWN = new Set([...Object.keys(outcomeOf({}, new Uint8Array(16), null)), 'source', 'id']);

/** Null is a value: where it stands for something, the field's rule says so. */
function given(value: unknown, otherwise: unknown): unknown {
  return value === undefined ? otherwise : value;
}

function readDecision(item: unknown): Read<RequestOutcome['decision']> {
  if (item === undefined || item === null) return { value: null };
  if (!isItem(item)) return broken('decision', 'null or an object');
  const unknown = unknownField(item, KNOWN_OF_DECISION);
  if (unknown !== null) return broken(`decision.${unknown.field}`, unknown.rule);
  const text = item['decision_id'];
  const decisionId = typeof text === 'string' ? parseUuid(text) : null;
  if (decisionId === null) return broken('decision.decision_id', 'the text of a UUID');
  const value: object = { ...item, decision_id: decisionId };
  return { value: value as RequestOutcome['decision'] };
}

function mapped(provider: unknown): unknown {
  return typeof provider === 'string' ? providerName(provider) : provider;
}

function statusOf(httpStatus: unknown): Status {
  return statusOfHttp(typeof httpStatus === 'number' ? httpStatus : null);
}
