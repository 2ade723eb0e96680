import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';

export interface Script {
  lua: string;
  sha1: string;
}

export function defineScript(lua: string): Script {
  return { lua, sha1: createHash('sha1').update(lua).digest('hex') };
}

/**
 * Runs a script by its digest; its text is sent only where the server does not know it (a new or
 * restarted server, or one that a fail-over put in place).
 */
export async function callScript(
  client: Redis | Cluster,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  // As one array: spread over the call it would be bound by the size of the stack.
  const rest = [...keys, ...args.map(String)];
  try {
    return await client.evalsha(script.sha1, keys.length, rest);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.eval(script.lua, keys.length, rest);
  }
}
