import { formatUuid } from '../event/uuid.js';

/** For JSON.stringify: ids as UUIDs; every 16-byte field is one. */
export function readable(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      field instanceof Uint8Array && field.length === 16 ? formatUuid(field) : field,
    ]),
  );
}
