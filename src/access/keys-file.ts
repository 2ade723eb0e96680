import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { AiRouterError } from '../errors.js';
import type { AccessKey } from './access-key.js';
import { formatKeys, parseKeys } from './keys-text.js';

/** About 40,000 keys. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Longest wait for another command that changes the file: each takes milliseconds. */
const LOCK_WAIT_MS = 5_000;
/** How often a command looks whether the lock is free. */
const LOCK_RETRY_MS = 50;

/**
 * The keys of a file.
 *
 * @throws AiRouterError invalid_setting: it cannot be read, or breaks its schema
 */
export async function readKeysFile(path: string): Promise<AccessKey[]> {
  const text = await stat(path)
    .then(({ size }) => (size > FILE_BYTES_MAX ? null : readFile(path, 'utf8')))
    .catch((error: unknown) => {
      throw unusable(path, error);
    });
  if (text !== null) return parseKeys(text, path);
  throw broken(path, `a file of at most ${FILE_BYTES_MAX} bytes`);
}

/**
 * Changes the keys of a file, which may not be there yet. The new file is written beside it under
 * the name of its lock and takes its place in one step, so readers see the one or the other, and of
 * two that change it at once one waits.
 *
 * @throws AiRouterError invalid_setting, already_running; whatever `change` throws
 */
export async function changeKeysFile<T>(
  path: string,
  change: (keys: readonly AccessKey[]) => { keys: readonly AccessKey[]; result: T },
): Promise<T> {
  const lock = `${path}.lock`;
  const file = await openLock(path, lock);
  try {
    const { keys, result } = change((await isThere(path)) ? await readKeysFile(path) : []);
    await file.writeFile(formatKeys(keys));
    await file.sync();
    await rename(lock, path);
    return result;
  } catch (error) {
    await rm(lock, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

async function openLock(path: string, lock: string): Promise<FileHandle> {
  const endMs = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return await open(lock, 'wx', 0o600);
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw unusable(path, error);
    }
    if (performance.now() > endMs) {
      throw new AiRouterError(
        'already_running',
        `${lock} is there: another process changes the keys; remove it if that one is gone`,
      );
    }
    await sleep(LOCK_RETRY_MS);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): AiRouterError {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  return broken(path, `a file that can be used here (${code})`);
}

function broken(path: string, rule: string): AiRouterError {
  const field = 'AIROUTER_KEYS_FILE';
  return new AiRouterError('invalid_setting', `${field} ${path} must be ${rule}`, { field, rule });
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
