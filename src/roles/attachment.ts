import { setTimeout as sleep } from 'node:timers/promises';
import { readOwnerFile } from '../database/owner-file.js';
import type { Parts } from './parts.js';

/** How often it is looked whether the owner of the folder is still there. */
const LOOK_INTERVAL_MS = 500;

/**
 * Resolves when the owner that these parts depend on has ended or another process has followed
 * it, or at the signal. An owner that was killed still counts until then: its database outlives
 * it. Parts that depend on no owner wait for the signal alone.
 */
export async function ownerGone(
  { config, attachedTo }: Pick<Parts, 'config' | 'attachedTo'>,
  stop: AbortSignal,
): Promise<void> {
  const isIndependent = config.databaseUrl !== null && config.redisUrl !== null;
  while (!stop.aborted) {
    await sleep(LOOK_INTERVAL_MS, undefined, { signal: stop }).catch(() => {});
    if (attachedTo === null || isIndependent) continue;
    const info = await readOwnerFile(config.dataDir);
    if (info?.token !== attachedTo.token) return;
  }
}
