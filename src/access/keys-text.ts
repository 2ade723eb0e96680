import { AiRouterError } from '../errors.js';
import { text as lengthOf } from '../event/checks.js';
import type { AccessKey } from './access-key.js';
import { isScope, SCOPES } from './scope.js';

/** A field of a line: the rule in words that follow "must be", and its test. */
interface FieldRule {
  rule: string;
  holds: (value: unknown) => boolean;
  isOptional?: true;
}

const TENANT = lengthOf(1, 128);
/** Far above what one process answers: more is a slip of the pen. */
export const REQUESTS_PER_SECOND_MAX = 1_000_000;
const hex = (digits: number) => new RegExp(`^[0-9a-f]{${digits}}$`);

const timeOrNull: FieldRule = {
  rule: 'a time such as 2026-01-31T12:00:00.000Z, or null',
  holds: (value) => value === null || isTime(value),
  isOptional: true,
};

const FIELDS: Readonly<Record<string, FieldRule>> = {
  id: { rule: '12 hex digits in lower case', holds: matches(hex(12)) },
  hash: { rule: '64 hex digits in lower case', holds: matches(hex(64)) },
  tenant: {
    rule: 'a name of 1..128 characters, or null for a key of every tenant',
    holds: (value) => value === null || isTenant(value),
  },
  scopes: {
    rule: `a list of ${SCOPES.join(', ')}, without repetition, not empty`,
    holds: (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every(isScope) &&
      new Set(value).size === value.length,
  },
  created_at: { rule: 'a time such as 2026-01-31T12:00:00.000Z', holds: isTime },
  expires_at: timeOrNull,
  revoked_at: timeOrNull,
  requests_per_second: {
    rule: `an integer of 1..${REQUESTS_PER_SECOND_MAX}, or null`,
    holds: (value) =>
      value === null ||
      (Number.isInteger(value) &&
        (value as number) >= 1 &&
        (value as number) <= REQUESTS_PER_SECOND_MAX),
    isOptional: true,
  },
};

/**
 * The keys of a file: a JSON object a line, one for each key. What is wrong is told by line and
 * field, never by its value, which may be a key that somebody pasted.
 *
 * @throws AiRouterError invalid_setting
 */
export function parseKeys(text: string, path: string): AccessKey[] {
  const keys: AccessKey[] = [];
  const ids = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const place = `${path}, line ${index + 1}`;
    const key = parseKey(line, place);
    if (ids.has(key.id)) throw broken(place, 'id', 'that of no other line');
    ids.add(key.id);
    keys.push(key);
  }
  return keys;
}

function parseKey(line: string, place: string): AccessKey {
  const fields = objectOf(line);
  if (fields === null) throw broken(place, 'the line', 'a JSON object');
  const unknown = Object.keys(fields).some((name) => !Object.hasOwn(FIELDS, name));
  if (unknown) throw broken(place, 'each field', `one of ${Object.keys(FIELDS).join(', ')}`);
  for (const [name, { rule, holds, isOptional }] of Object.entries(FIELDS)) {
    const value = fields[name];
    if (value === undefined && isOptional) continue;
    if (!holds(value)) throw broken(place, name, rule);
  }
  const timeOf = (name: string) => {
    const value = fields[name] ?? null;
    return value === null ? null : Date.parse(value as string);
  };
  return {
    id: fields['id'] as AccessKey['id'],
    hash: fields['hash'] as AccessKey['hash'],
    tenant: fields['tenant'] as AccessKey['tenant'],
    scopes: fields['scopes'] as AccessKey['scopes'],
    createdAtMs: timeOf('created_at')!,
    expiresAtMs: timeOf('expires_at'),
    revokedAtMs: timeOf('revoked_at'),
    requestsPerSecond: (fields['requests_per_second'] ?? null) as AccessKey['requestsPerSecond'],
  };
}

export function formatKeys(keys: readonly AccessKey[]): string {
  return keys.map((key) => `${JSON.stringify(lineOf(key))}\n`).join('');
}

function lineOf(key: AccessKey) {
  const isoOf = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    id: key.id,
    hash: key.hash,
    tenant: key.tenant,
    scopes: key.scopes,
    created_at: isoOf(key.createdAtMs),
    expires_at: isoOf(key.expiresAtMs),
    revoked_at: isoOf(key.revokedAtMs),
    requests_per_second: key.requestsPerSecond,
  };
}

export function isTenant(value: unknown): value is string {
  return TENANT.holds(value);
}

function objectOf(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function matches(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === 'string' && pattern.test(value);
}

function isTime(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  );
}

function broken(place: string, field: string, rule: string): AiRouterError {
  const message = `AIROUTER_KEYS_FILE ${place}: ${field} must be ${rule}`;
  return new AiRouterError('invalid_setting', message, { field: 'AIROUTER_KEYS_FILE', rule });
}
