import { hash, randomBytes } from 'node:crypto';
import type { Scope } from './scope.js';

/** A key as it is kept: its text is in no file. */
export interface AccessKey {
  /** Public: names the key in lists and in logs. 12 hex digits. */
  id: string;
  /** SHA-256 of the key's text, 64 hex digits. */
  hash: string;
  /** Whose key it is; null = it speaks for every tenant. */
  tenant: string | null;
  scopes: readonly Scope[];
  createdAtMs: number;
  expiresAtMs: number | null;
  revokedAtMs: number | null;
  /** Of one process; null = no limit. */
  requestsPerSecond: number | null;
}

const PREFIX = 'air_';
const ID_BYTES = 6;
const SECRET_BYTES = 32;
const ID_END = PREFIX.length + 2 * ID_BYTES;
/** `air_<id>_<secret>`, both in hex: found by scanners as `air_[0-9a-f]{12}_[0-9a-f]{64}`. */
export const KEY_CHARACTERS = ID_END + 1 + 2 * SECRET_BYTES;

/** The text of a new key, its id and its hash. The secret is random: a slow hash would add nothing. */
export function mintKey(): { text: string; id: string; hash: string } {
  const id = randomBytes(ID_BYTES).toString('hex');
  const text = `${PREFIX}${id}_${randomBytes(SECRET_BYTES).toString('hex')}`;
  return { text, id, hash: hash('sha256', text) };
}

/** The id that a text of `KEY_CHARACTERS` names. */
export function idOf(text: string): string {
  return text.slice(PREFIX.length, ID_END);
}

/** What a key is for, at a moment. */
export function stateOf(key: AccessKey, nowMs: number): 'live' | 'expired' | 'revoked' {
  if (key.revokedAtMs !== null) return 'revoked';
  return key.expiresAtMs !== null && nowMs >= key.expiresAtMs ? 'expired' : 'live';
}
