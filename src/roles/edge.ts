import type { Access } from '../access/access.js';
import { keyAccess } from '../access/key-access.js';
import { localAccess } from '../access/local-access.js';
import { watchKeys } from '../access/watched-keys.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import type { Logger } from '../observe/logger.js';
import type { OverloadLimits } from '../route/overload.js';

/** Who is served, and until when. */
export interface Edge {
  access: Access;
  overload: OverloadLimits;
  close(): Promise<void>;
}

/**
 * The edge of a role that serves HTTP, as the settings say.
 *
 * @throws AiRouterError invalid_setting: the file of keys is bad
 */
export async function openEdge(config: Config, logger: Logger, clock: Clock): Promise<Edge> {
  const { keysFile, overloadDelayMs, overloadMemoryBytes } = config;
  const overload = { eventLoopDelayMs: overloadDelayMs, memoryBytes: overloadMemoryBytes };
  if (keysFile === null) return { access: localAccess, overload, close: async () => {} };
  const { ring, close } = await watchKeys(keysFile, logger);
  return { access: keyAccess(ring, clock), overload, close: async () => close() };
}
