import { AiRouterError } from '../errors.js';
import type { HotState, HotWrite, Lane } from './port.js';
import { KEY_TTL_SECONDS } from './values.js';

/**
 * Most values of one write: twice the keys that a partition and day admits. One write is one
 * message and blocks Redis while it runs, about 1 ms a MB.
 */
const WRITE_KEYS_MAX = 20_000;
/** Bytes of one write: Redis is busy with nothing else for its time. */
export const WRITE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * How many revisions back a position is known, and removed keys are remembered. A reader that is
 * further behind starts anew; at 20 polls a second it is rarely behind by more than ten.
 */
export const REVISIONS_KEPT = 128;

/** The state lives as long as the longest lifetime of a value. */
export const STATE_TTL_MS = Math.max(...Object.values(KEY_TTL_SECONDS)) * 1000;

/** Lifetime of a key by its kind, the part before the colon. */
export function ttlMs(key: string): number {
  const kind = key.split(':', 1)[0]!;
  if (!Object.hasOwn(KEY_TTL_SECONDS, kind)) throw broken(`${kind} is no kind of hot key`);
  return KEY_TTL_SECONDS[kind as keyof typeof KEY_TTL_SECONDS] * 1000;
}

/** What no adapter accepts: these are defects of the writer, not answers of the store. */
export function checkWrite(expected: HotState | null, write: HotWrite): void {
  const { lane, next, values, complete } = write;
  if (!Number.isSafeInteger(next.version) || next.version < 0) {
    throw broken(`version must be an integer >= 0, got ${next.version}`);
  }
  if (!complete && (expected?.lanes[lane] ?? null) === null) {
    throw broken(`the first write of lane ${lane} must be complete`);
  }
  if (values.size > WRITE_KEYS_MAX) {
    throw broken(`a write holds ${values.size} keys, the limit is ${WRITE_KEYS_MAX}`);
  }
  let bytes = 0;
  for (const [key, value] of values) {
    if (ttlMs(key) > 0 && laneOf(key) !== lane) throw broken(`${key} is not of lane ${lane}`);
    bytes += key.length + (value?.length ?? 0);
  }
  if (bytes > WRITE_BYTES_MAX) {
    throw broken(`a write holds ${bytes} characters, the limit is ${WRITE_BYTES_MAX}`);
  }
}

/** The generation stands between the braces of Redis's hash tag. */
export function checkGeneration(generation: string): void {
  if (!/^[A-Za-z0-9_.:-]{1,200}$/.test(generation)) {
    throw broken('a generation is 1 to 200 of A-Z a-z 0-9 _ . : -');
  }
}

function laneOf(key: string): Lane {
  return key === 'health' ? 'health' : 'metrics';
}

function broken(message: string): AiRouterError {
  return new AiRouterError('internal', `Hot keys: ${message}.`);
}
