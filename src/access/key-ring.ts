import { hash, timingSafeEqual } from 'node:crypto';
import { type AccessKey, idOf, KEY_CHARACTERS } from './access-key.js';
import type { Caller } from './caller.js';
import { RequestLimit } from './request-limit.js';

/** A key as requests meet it. */
export interface KnownKey {
  key: AccessKey;
  caller: Caller;
  /** Null = no limit. */
  limit: RequestLimit | null;
  hash: Buffer;
}

/** The keys in force, by id. */
export class KeyRing {
  #known: ReadonlyMap<string, KnownKey> = new Map();

  constructor(keys: readonly AccessKey[]) {
    this.replace(keys);
  }

  get size(): number {
    return this.#known.size;
  }

  /** A key whose limit stayed goes on with what it has used. */
  replace(keys: readonly AccessKey[]): void {
    this.#known = new Map(keys.map((key) => [key.id, this.#knownOf(key)]));
  }

  /** The key of a text that somebody showed, whatever its state; null where there is none. */
  find(text: string): KnownKey | null {
    if (text.length !== KEY_CHARACTERS) return null;
    const known = this.#known.get(idOf(text));
    if (known === undefined) return null;
    return timingSafeEqual(hash('sha256', text, 'buffer'), known.hash) ? known : null;
  }

  #knownOf(key: AccessKey): KnownKey {
    const { id, tenant, scopes, requestsPerSecond } = key;
    const old = this.#known.get(id)?.limit ?? null;
    const limit =
      requestsPerSecond === null
        ? null
        : old?.perSecond === requestsPerSecond
          ? old
          : new RequestLimit(requestsPerSecond);
    const caller: Caller = {
      keyId: id,
      tenant: tenant ?? '',
      namesTenants: tenant === null || scopes.includes('admin'),
      scopes: new Set(scopes),
    };
    return { key, caller, limit, hash: Buffer.from(key.hash, 'hex') };
  }
}
