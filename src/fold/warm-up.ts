import type { DecodeFailure } from '../event/decode.js';
import type { DecodedRecord } from '../event/outcome.js';
import { placeText } from './origin.js';
import type { PartitionState } from './partition-state.js';

/**
 * Reads a record below the stored offset back into the window of recent ids, exactly as the fold
 * put it there: every decoded event but the parked ones, duplicates too.
 *
 * `parked` holds the parked places as `offset/index`.
 */
export function rememberRecord(
  state: PartitionState,
  offset: number,
  decoded: DecodedRecord | DecodeFailure,
  parked: ReadonlySet<string>,
): void {
  if ('failed' in decoded || !state.accepts.has(decoded.type)) return;
  // What was no record when it was read may be one today: its schema was registered since.
  if (parked.has(placeText(offset, -1))) return;
  const remember = (id: Uint8Array, index: number): void => {
    if (!parked.has(placeText(offset, index))) state.recent.add(id, offset);
  };
  switch (decoded.type) {
    case 'OutcomeBatch':
      decoded.value.outcomes.forEach((outcome, index) => {
        remember(outcome.event_id, index);
      });
      break;
    case 'RequestOutcome':
      remember(decoded.value.event_id, 0);
      break;
    case 'OutcomeSummary':
      remember(decoded.value.id, 0);
      break;
    default:
      break;
  }
}
