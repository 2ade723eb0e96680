import { randomFillSync } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../clock.js';
import { AiRouterError } from '../errors.js';
import type { Uuid } from '../event/outcome.js';
import { uuidV7, uuidV8 } from '../event/uuid.js';

export interface Minted {
  decisionId: Uuid;
  /** Milliseconds since the epoch. */
  nowMs: number;
}

/** Identity and moment of a decision: all that a decision is not told by state and request. */
export type Mint = (headers: IncomingHttpHeaders, requestId: string) => Minted;

/** Random bytes are drawn for 256 ids at once: a draw costs the same for 16 bytes as for 4,096. */
const POOL_BYTES = 4096;

/** UUIDv7 at the clock's time. */
export function clockMint(clock: Clock): Mint {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  return () => {
    if (used === POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const nowMs = clock.nowMs();
    const decisionId = uuidV7(nowMs, pool.subarray(used, used + 16));
    used += 16;
    return { decisionId, nowMs };
  };
}

export const VIRTUAL_TIME_HEADER = 'x-airouter-virtual-time';

/**
 * For closed loops in virtual time: the moment is what the caller says, and the id follows from
 * the seed and the request's own id, so the same run decides the same. Never for real traffic.
 */
export function virtualMint(seed: string): Mint {
  return (headers, requestId) => {
    const text = headers[VIRTUAL_TIME_HEADER];
    const nowMs = typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : null;
    if (nowMs === null) throw missing(VIRTUAL_TIME_HEADER, 'milliseconds since the epoch');
    if (requestId === '') throw missing('request_id', 'given in virtual time');
    return { decisionId: uuidV8(seed, requestId), nowMs };
  };
}

function missing(field: string, rule: string): AiRouterError {
  return new AiRouterError('invalid_request', `${field} must be ${rule}`, { field, rule });
}
