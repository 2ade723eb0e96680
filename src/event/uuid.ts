import { hash } from 'node:crypto';
import { AiRouterError } from '../errors.js';
import type { Uuid } from './outcome.js';

/** A UUID of RFC 9562 as 16 bytes; in text, lower-case hex as 8-4-4-4-12. */
const TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Milliseconds that 48 bits hold. */
const MS_MAX = 2 ** 48 - 1;

/**
 * UUIDv7: 48 bits of milliseconds since the Unix epoch, then 74 random bits. Of `random16` the
 * last ten bytes are used, so that one draw of 16 bytes serves every kind of id.
 */
export function uuidV7(ms: number, random16: Uint8Array): Buffer {
  if (!Number.isInteger(ms) || ms < 0 || ms > MS_MAX || random16.length !== 16) {
    throw new RangeError('uuidV7 takes ms of 0..2^48-1 and 16 random bytes');
  }
  const id = Buffer.from(random16);
  id.writeUIntBE(ms, 0, 6);
  return marked(id, 7);
}

/**
 * UUIDv8 of somebody else's id: the first 16 bytes of SHA-256(utf8(source), 0x00, utf8(foreignId)).
 * Throws `rule_broken` for what would make two different pairs one id: a NUL in the source, or a
 * lone surrogate, which UTF-8 cannot hold.
 */
export function uuidV8(source: string, foreignId: string): Buffer {
  refuse('source', source, /[\0\p{Surrogate}]/u, 'no NUL, no lone surrogate');
  refuse('foreign_id', foreignId, /\p{Surrogate}/u, 'no lone surrogate');
  const digest = hash('sha256', `${source}\0${foreignId}`, 'buffer');
  return marked(digest.subarray(0, 16), 8);
}

/** Lower-case text of 16 bytes. */
export function formatUuid(id: Uuid): string {
  const hex = Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The 16 bytes of a UUID's text, of any version and in either case; null where it is not one. */
export function parseUuid(text: string): Buffer | null {
  return TEXT.test(text) ? Buffer.from(text.replaceAll('-', ''), 'hex') : null;
}

function refuse(field: string, text: string, pattern: RegExp, rule: string): void {
  if (pattern.test(text)) {
    throw new AiRouterError('rule_broken', `${field}: ${rule}`, { field, rule });
  }
}

/** Writes version and variant (binary 10) over the bits that RFC 9562 keeps for them. */
function marked(id: Buffer, version: number): Buffer {
  id[6] = (id[6]! & 0x0f) | (version << 4);
  id[8] = (id[8]! & 0x3f) | 0x80;
  return id;
}
