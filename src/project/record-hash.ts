import { createHash } from 'node:crypto';
import type { LogRecord } from '../log/port.js';

/**
 * SHA-256 over a record's time, key, value and headers, hex. Each part is preceded by its length,
 * so that no two records share their bytes; null differs from empty.
 */
export function recordHash(record: LogRecord): string {
  const hash = createHash('sha256');
  const part = (bytes: Buffer | string | null): void => {
    hash.update(`${bytes === null ? -1 : Buffer.byteLength(bytes)};`);
    if (bytes !== null) hash.update(bytes);
  };
  hash.update(`${record.timestampMs};`);
  part(record.key);
  part(record.value);
  for (const name of Object.keys(record.headers).sort()) {
    part(name);
    part(record.headers[name]!);
  }
  return hash.digest('hex');
}
