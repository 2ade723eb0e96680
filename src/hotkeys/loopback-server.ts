import { checkGeneration, checkWrite, WRITE_BYTES_MAX } from './check-write.js';
import type { HotKeys } from './port.js';
import { parseCall } from './wire.js';

/**
 * Largest body of a call: a write of the largest values, which JSON may make half as long again
 * by escaping their quotes.
 */
export const LOOPBACK_BODY_BYTES_MAX = WRITE_BYTES_MAX + WRITE_BYTES_MAX / 2;

/**
 * Answers one call of a loopback client. The route that calls it admits loopback and the bearer
 * of the token alone. Rejects with `invalid_request` where the call is not one.
 */
export async function handleHotKeysCall(hotKeys: HotKeys, call: unknown): Promise<unknown> {
  const parsed = parseCall(call);
  switch (parsed.op) {
    case 'generation':
      return hotKeys.generation();
    case 'set_generation':
      checkGeneration(parsed.next);
      return hotKeys.setGeneration(parsed.expected, parsed.next);
    case 'state':
      return hotKeys.state(parsed.generation);
    case 'write': {
      const write = { ...parsed.write, values: new Map(parsed.write.values) };
      checkWrite(parsed.expected, write);
      return hotKeys.write(parsed.generation, parsed.expected, write);
    }
    case 'read': {
      const read = await hotKeys.read(parsed.since);
      return read === null ? null : { ...read, changed: [...read.changed] };
    }
    case 'is_lost':
      return hotKeys.isLost(parsed.generation);
    case 'figures':
      return hotKeys.figures();
    case 'put_database_figures':
      await hotKeys.putDatabaseFigures(parsed.text);
      return true;
  }
}
