import type { Caller } from '../access/caller.js';
import { AiRouterError, type ErrorCode } from '../errors.js';
import type { Uuid } from '../event/outcome.js';
import type { BrokenRule } from '../event/rules.js';
import { parseUuid, uuidV8 } from '../event/uuid.js';

/** An item of a body: an object of JSON, with whatever fields its sender gave it. */
export type Item = Readonly<Record<string, unknown>>;

export type Read<T> = { value: T } | { broken: BrokenRule };

/** What is wrong with one item; its index is that in its list. */
export interface ItemError extends BrokenRule {
  list: string;
  index: number;
  code: ErrorCode;
}

/** Texts that others call their events by. */
const FOREIGN_TEXT_MAX = 512;
/** Names of unknown fields are the sender's text: enough of it to see what went wrong. */
const FIELD_SHOWN_MAX = 64;

export function isItem(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function broken(field: string, rule: string): { broken: BrokenRule } {
  return { broken: { field, rule } };
}

/** The first field that is not among the known ones. */
export function unknownField(item: Item, known: ReadonlySet<string>): BrokenRule | null {
  for (const field in item) {
    if (known.has(field)) continue;
    return { field: field.slice(0, FIELD_SHOWN_MAX), rule: 'absent: no such field is known' };
  }
  return null;
}

/** The first of the fields that the item lacks. */
export function missingField(item: Item, required: readonly string[]): BrokenRule | null {
  for (const field of required) {
    if (item[field] === undefined) return { field, rule: 'given' };
  }
  return null;
}

/**
 * The identity of an item: the text of a UUID in `uuidField`, or (`source`, `id`), whose hash it
 * then is. There is no default: what has no identity cannot be sent twice safely.
 */
export function identityOf(item: Item, uuidField: string): Read<Uuid> {
  const { source, id } = item;
  if (source === undefined) {
    const text = item[uuidField];
    const uuid = typeof text === 'string' ? parseUuid(text) : null;
    if (uuid !== null) return { value: uuid };
    return broken(uuidField, 'the text of a UUID; ids of others are given as source and id');
  }
  if (!isForeignText(source)) return broken('source', `1..${FOREIGN_TEXT_MAX} UTF-16 units`);
  if (!isForeignText(id)) return broken('id', `1..${FOREIGN_TEXT_MAX} UTF-16 units`);
  if (uuidField !== 'id' && item[uuidField] !== undefined) {
    return broken(uuidField, 'absent where source and id are given');
  }
  try {
    return { value: uuidV8(source, id) };
  } catch (error) {
    if (!(error instanceof AiRouterError)) throw error;
    const field = error.field === 'foreign_id' ? 'id' : 'source';
    return broken(field, `text with ${error.rule}`);
  }
}

function isForeignText(value: unknown): value is string {
  return typeof value === 'string' && value.length >= 1 && value.length <= FOREIGN_TEXT_MAX;
}

/** The item as one of the caller's tenant: a key that belongs to a tenant speaks for no other one. */
export function ofTenant(item: unknown, { tenant, namesTenants }: Caller): Read<unknown> {
  if (!isItem(item) || item['tenant'] === tenant) return { value: item };
  if (item['tenant'] === undefined) return { value: tenant === '' ? item : { ...item, tenant } };
  return namesTenants ? { value: item } : broken('tenant', 'absent, or the tenant of the key');
}
