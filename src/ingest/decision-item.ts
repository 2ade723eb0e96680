import { createHash } from 'node:crypto';
import type { Decision } from '../event/outcome.js';
import { brokenRuleOfDecision } from '../event/rules.js';
import { schemas } from '../event/schemas.js';
import { parseUuid } from '../event/uuid.js';
import { broken, isItem, missingField, type Read, unknownField } from './item.js';

const DEFAULTS = {
  tenant: '',
  policy: '',
  policy_hash: '',
  algorithm: '',
  request_hashed: false,
  unit: 'none',
  unit_hash: '',
  eligible: [],
  excluded: [],
  slate: [],
  degraded: [],
} as const;

export const DECISION_REQUIRED = [
  'decision_id',
  'decided_at',
  'as_of',
  'strategy',
  'state',
  'request',
];
const KNOWN = new Set([...Object.keys(DEFAULTS), ...DECISION_REQUIRED]);

/** Bytes of a request that is kept as it is; of a longer one the hash is. */
const REQUEST_BYTES_MAX = 2048;

/** A decision from JSON, as the router makes it. */
export function readDecision(item: unknown): Read<Decision> {
  if (!isItem(item)) return broken('', 'an object');
  const wrong = unknownField(item, KNOWN) ?? missingField(item, DECISION_REQUIRED);
  if (wrong !== null) return { broken: wrong };
  const text = item['decision_id'];
  const decisionId = typeof text === 'string' ? parseUuid(text) : null;
  if (decisionId === null) return broken('decision_id', 'the text of a UUID');
  const given = { ...DEFAULTS, ...item, decision_id: decisionId };
  // The types first: the rules read lists and objects as what they should be.
  const misfit = misfitOf(given);
  if (misfit !== null) return { broken: misfit };
  const value = withShortRequest(given as unknown as Decision);
  const rule = brokenRuleOfDecision(value);
  return rule === null ? { value } : { broken: rule };
}

function misfitOf(value: object): { field: string; rule: string } | null {
  let misfit: { field: string; rule: string } | null = null;
  schemas.written('Decision').type.isValid(value, {
    noUndeclaredFields: true,
    errorHook: (path, _value, type) => {
      const wanted = type.name ?? (type as { typeName?: string }).typeName ?? 'its type';
      misfit ??= {
        field: path.join('.'),
        rule: `of the Avro type ${wanted}, with its fields alone`,
      };
    },
  });
  return misfit;
}

/** What is only a hash cannot be computed again; the record says so. */
function withShortRequest(decision: Decision): Decision {
  const { request } = decision;
  if (Buffer.byteLength(request) <= REQUEST_BYTES_MAX) return decision;
  const hash = createHash('sha256').update(request, 'utf8').digest('hex');
  return { ...decision, request: hash, request_hashed: true };
}
