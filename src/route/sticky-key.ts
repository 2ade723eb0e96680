import { hash } from 'node:crypto';

const HASHED = /^sha256:[0-9a-f]{64}$/;

/**
 * `sha256:` and the SHA-256 of a sticky key, hex; a hashed one is itself. What is decided, logged
 * and computed again knows keys by this alone.
 */
export function hashedStickyKey(key: string): string {
  return HASHED.test(key) ? key : `sha256:${hash('sha256', key, 'hex')}`;
}
