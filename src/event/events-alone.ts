import { type DecodeFailure, decodeWhole } from './decode.js';
import { encodeRecord } from './encode.js';
import type { RequestOutcome } from './outcome.js';
import { type Schemas, schemas } from './schemas.js';

/** The events of a batch, each as a record of its own. */
export interface EventsAlone {
  /** The value of a `RequestOutcome` by the newest shipped schema; null where there is none. */
  at(index: number): Buffer | null;
}

/** Null where the value is a record that holds no events but itself. */
export function eventsAlone(
  value: Buffer | null,
  known: Schemas = schemas,
): EventsAlone | DecodeFailure | null {
  const decoded = decodeWhole(value, known);
  if ('failed' in decoded) return decoded;
  if (decoded.type !== 'OutcomeBatch') return null;
  const { outcomes } = decoded.value as { outcomes: RequestOutcome[] };
  return {
    at: (index) =>
      outcomes[index] === undefined ? null : encodeRecord('RequestOutcome', outcomes[index]),
  };
}
