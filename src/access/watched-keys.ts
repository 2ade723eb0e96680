import { stat } from 'node:fs/promises';
import { asAiRouterError } from '../errors.js';
import type { Logger } from '../observe/logger.js';
import { KeyRing } from './key-ring.js';
import { readKeysFile } from './keys-file.js';

/** A revoked key is refused within this time. Asking costs a few µs, and works on every file system. */
const LOOK_INTERVAL_MS = 1_000;

export interface WatchedKeys {
  ring: KeyRing;
  close(): void;
}

/**
 * The keys of a file, read again whenever it changes. A file that went bad or away leaves those that
 * were read last, and one line says so.
 *
 * @throws AiRouterError invalid_setting: there are no good ones to begin with
 */
export async function watchKeys(
  path: string,
  logger: Pick<Logger, 'info' | 'warn'>,
  lookIntervalMs: number = LOOK_INTERVAL_MS,
): Promise<WatchedKeys> {
  let seen = await stampOf(path);
  const ring = new KeyRing(await readKeysFile(path));
  let complainedOf = '';
  let isLooking = false;
  const look = async (): Promise<void> => {
    const stamp = await stampOf(path);
    if (stamp === seen) return;
    try {
      ring.replace(await readKeysFile(path));
      // Taken before the file was read: what changed meanwhile is seen the next time.
      seen = stamp;
      complainedOf = '';
      logger.info({ keys: ring.size }, 'The access keys were read again.');
    } catch (error) {
      if (stamp === complainedOf) return;
      complainedOf = stamp;
      const reason = asAiRouterError(error).message;
      logger.warn({ reason }, 'The access keys cannot be read; those read last stay in force.');
    }
  };
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  }, lookIntervalMs).unref();
  return { ring, close: () => clearInterval(timer) };
}

/** Changes with every change of the file, also where another one took its place. */
async function stampOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}
