import type { Inflight } from '../event/outcome.js';
import { brokenRuleOfInflight } from '../event/rules.js';
import { parseUuid } from '../event/uuid.js';
import { broken, isItem, missingField, type Read, unknownField } from './item.js';

const DEFAULTS = { started: 0, overdue: 0, oldest_ms: 0 } as const satisfies Partial<Inflight>;
export const INFLIGHT_REQUIRED = ['emitter', 'offering', 'tick', 'in_flight'];
const KNOWN = new Set([...Object.keys(DEFAULTS), ...INFLIGHT_REQUIRED]);

/** A gauge of attempts in flight, from JSON. */
export function readInflight(item: unknown): Read<Inflight> {
  if (!isItem(item)) return broken('', 'an object');
  const wrong = unknownField(item, KNOWN) ?? missingField(item, INFLIGHT_REQUIRED);
  if (wrong !== null) return { broken: wrong };
  const text = item['emitter'];
  const emitter = typeof text === 'string' ? parseUuid(text) : null;
  if (emitter === null) return broken('emitter', 'the text of a UUID');
  const value: object = { ...DEFAULTS, ...item, emitter };
  // What it holds is checked next, field by field.
  const gauge = value as Inflight;
  const rule = brokenRuleOfInflight(gauge);
  return rule === null ? { value: gauge } : { broken: rule };
}
