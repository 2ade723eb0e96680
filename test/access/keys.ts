import type { Access } from '../../src/access/access.js';
import { type AccessKey, mintKey } from '../../src/access/access-key.js';
import { keyAccess } from '../../src/access/key-access.js';
import { KeyRing } from '../../src/access/key-ring.js';

export const NOW_MS = Date.UTC(2026, 0, 1);

/** A new key with its text. */
export function newKey(fields: Partial<AccessKey> = {}): { text: string; key: AccessKey } {
  const { text, id, hash } = mintKey();
  const key: AccessKey = {
    id,
    hash,
    tenant: 'acme',
    scopes: ['route'],
    createdAtMs: NOW_MS,
    expiresAtMs: null,
    revokedAtMs: null,
    requestsPerSecond: null,
    ...fields,
  };
  return { text, key };
}

/** Serves who holds one of the keys. */
export function accessOf(...keys: AccessKey[]): Access {
  return keyAccess(new KeyRing(keys), { nowMs: () => NOW_MS });
}

export const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
