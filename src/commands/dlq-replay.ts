import { encodeRecord } from '../event/encode.js';
import type { RequestOutcome } from '../event/outcome.js';
import { schemas } from '../event/schemas.js';
import { ORIGIN_HEADER, type Origin, originText } from '../fold/origin.js';
import type { LogRecord, NewRecord } from '../log/port.js';
import type { Parts } from '../roles/parts.js';

/** What a replay did with a parked place. */
export interface Replayed {
  origin: string;
  /** Offset of the copy; null where the original is not in the log any more. */
  offset: number | null;
}

const READ_BYTES = 1_048_576;
const HEADER_BYTES = 5;

/**
 * Appends a copy of each parked place without a counted one to its own partition: a record whole,
 * or the one event of a batch alone, with its origin in a header. Safe to repeat: a place counts
 * once, however many copies it has.
 */
export async function replayDeadLetters(
  { log, pool, schema }: Parts,
  only: string | null,
): Promise<Replayed[]> {
  const { rows } = await pool.query<Origin>(
    `select topic, partition, record_offset as offset, index from "${schema}".parked
     where replayed_below is null order by topic, partition, record_offset, index`,
  );
  const replayed: Replayed[] = [];
  for (const origin of rows) {
    const text = originText(origin);
    if (only !== null && only !== text) continue;
    const { topic, partition, offset } = origin;
    const { records } = await log.read(topic, partition, offset, READ_BYTES);
    const [original] = records;
    const isThere = original?.offset === offset;
    const copy = isThere ? copyOf(original, origin) : null;
    const at = copy === null ? null : await log.append(topic, partition, [copy]);
    replayed.push({ origin: text, offset: at });
  }
  return replayed;
}

function copyOf(original: LogRecord, origin: Origin): NewRecord {
  const { key, timestampMs } = original;
  const header = { [ORIGIN_HEADER]: Buffer.from(originText(origin)) };
  const outcome = origin.index < 0 ? null : outcomeOf(original, origin.index);
  if (outcome === null) {
    return { key, value: original.value, timestampMs, headers: { ...original.headers, ...header } };
  }
  return { key, value: encodeRecord('RequestOutcome', outcome), timestampMs, headers: header };
}

/** The event of a batch with all its fields; null where the record is not a batch. */
function outcomeOf({ value }: LogRecord, index: number): RequestOutcome | null {
  const { id, type } = schemas.written('OutcomeBatch');
  if (value === null || value.readInt32BE(1) !== id) return null;
  const batch = type.fromBuffer(value.subarray(HEADER_BYTES)) as { outcomes: RequestOutcome[] };
  return batch.outcomes[index] ?? null;
}
