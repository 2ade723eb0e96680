import { parseOfferingKey } from './offering-key.js';

/** What a value must be, in words that follow "must be", and the test of it. */
export interface Check {
  rule: string;
  holds: (value: unknown) => boolean;
}

/** A check of one field of a record. */
export interface Rule<R> extends Check {
  field: string;
  /** The field's value; a literal property of each record, which keeps the check fast. */
  of: (record: R) => unknown;
}

export function rule<R>(field: string, check: Check, of: (record: R) => unknown): Rule<R> {
  return { field, rule: check.rule, holds: check.holds, of };
}

/** Largest long that avsc carries exactly, and the largest int of Avro. */
const LONG_MAX = 2 ** 53 - 2;
const INT_MAX = 2 ** 31 - 1;
/** 9999-12-31T23:59:59.999Z: the last moment that every store and language can print. */
const TIME_MS_MAX = 253_402_300_799_999;

const integer = (min: number, max: number, shown: string): Check => ({
  rule: `an integer of ${shown}`,
  holds: (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
});

export const TIME_MS = integer(0, TIME_MS_MAX, `0..${TIME_MS_MAX}`);
export const LONG_FROM_0 = integer(0, LONG_MAX, '0..2^53-2');
export const INT = integer(-(2 ** 31), INT_MAX, '-2^31..2^31-1');
export const INT_FROM_0 = integer(0, INT_MAX, '0..2^31-1');
export const SCHEMA_ID = integer(1, INT_MAX, '1..2^31-1');
export const ATTEMPT = integer(0, 1000, '0..1000');
export const HTTP_STATUS = integer(100, 599, '100..599');

export const ID: Check = {
  rule: '16 bytes',
  holds: (value) => value instanceof Uint8Array && value.length === 16,
};

export const BOOLEAN: Check = {
  rule: 'true or false',
  holds: (value) => typeof value === 'boolean',
};

export const OBJECT: Check = {
  rule: 'an object',
  holds: (value) => typeof value === 'object' && value !== null,
};

export const PROBABILITY: Check = {
  rule: 'a number of 0..1',
  holds: (value) => typeof value === 'number' && value >= 0 && value <= 1,
};

/** SHA-256 in hex; empty where there is nothing to hash. */
export const HASH: Check = {
  rule: 'empty or 64 lower-case hex digits',
  holds: (value) => typeof value === 'string' && /^([0-9a-f]{64})?$/.test(value),
};

/** What it holds is the parser's to judge. */
export const SCHEMA_TEXT: Check = {
  rule: '1..262144 UTF-16 units',
  holds: (value) => typeof value === 'string' && value.length >= 1 && value.length <= 262_144,
};

export function text(min: number, max: number): Check {
  return {
    rule: `${min}..${max} UTF-16 units without NUL, lone surrogates and U+FFFD`,
    holds: (value) => isText(value, min, max),
  };
}

export function texts(itemsMax: number, unitsMax: number): Check {
  return listOf(itemsMax, text(1, unitsMax));
}

export function listOf(itemsMax: number, item: Check): Check {
  return {
    rule: `at most ${itemsMax} items, each ${item.rule}`,
    holds: (value) =>
      Array.isArray(value) && value.length <= itemsMax && value.every((it) => item.holds(it)),
  };
}

export function nullable(check: Check): Check {
  return {
    rule: `null or ${check.rule}`,
    holds: (value) => value === null || check.holds(value),
  };
}

export function oneOf(values: readonly string[]): Check {
  return {
    rule: `one of ${values.join(', ')}`,
    holds: (value) => values.includes(value as string),
  };
}

export const MODEL = text(1, 256);
export const PROVIDER = text(1, 64);
export const DEPLOYMENT = text(0, 256);
export const REGION = text(0, 64);

export const OFFERING: Check = {
  rule: 'the key text of an offering whose parts hold their own rules',
  holds: (value) => {
    const parts = typeof value === 'string' ? parseOfferingKey(value) : null;
    return (
      parts !== null &&
      MODEL.holds(parts.model) &&
      PROVIDER.holds(parts.provider) &&
      DEPLOYMENT.holds(parts.deployment) &&
      REGION.holds(parts.region)
    );
  },
};

/**
 * True for text that every store keeps as it is: no NUL (Postgres refuses it), no lone surrogate
 * (UTF-8 cannot hold it) and no U+FFFD (bytes that were no UTF-8 have become one in decoding).
 */
function isText(value: unknown, min: number, max: number): boolean {
  if (typeof value !== 'string' || value.length < min || value.length > max) return false;
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at);
    // Almost every unit is one of these: a single comparison.
    if ((unit - 1) >>> 0 < 0xd7ff) continue;
    if (unit === 0 || unit === 0xfffd) return false;
    if (unit > 0xdfff) continue;
    // A high surrogate and the low one after it are one character.
    if (unit > 0xdbff || (value.charCodeAt(at + 1) & 0xfc00) !== 0xdc00) return false;
    at += 1;
  }
  return true;
}
