import { AiRouterError } from '../errors.js';
import { eventsAlone } from '../event/events-alone.js';
import type { Schemas } from '../event/schemas.js';
import { ORIGIN_HEADER, originOf, originText } from '../fold/origin.js';
import type { LogRecord, NewRecord } from '../log/port.js';
import type { Parts } from '../roles/parts.js';
import { storedSchemas } from '../roles/schemas.js';
import type { CommandContext } from './context.js';
import { discardedPlaces, type ParkedRow, parkedRows, placeNamed, rowsOf } from './dlq-letters.js';

/** What a replay did with a parked place. */
export interface Replayed {
  origin: string;
  /** Offset of the copy; null where there is none. */
  offset: number | null;
  /** Why there is none. */
  reason: string | null;
}

const GONE = 'it is not in the log any more';

/** One read of the original: the record is its first. */
const READ_BYTES = 1_048_576;

/** `airouter dlq replay [PLACE…]`: copies of these places, or of all that wait. */
export async function replay(
  context: CommandContext,
  parts: Parts,
  options: Record<string, unknown>,
): Promise<void> {
  const named = options['place'] as string | undefined;
  const places = (options['args'] as string[]).slice(1).concat(named ?? []);
  const replayed = await replayDeadLetters(parts, places);
  for (const each of replayed) context.print(JSON.stringify(each));
  const copies = replayed.filter((each) => each.offset !== null).length;
  if (context.json) context.answer({ replayed: copies });
  else if (copies === 0) context.progress('Nothing was replayed.');
}

/**
 * Appends a copy of each parked place without a counted one to its own partition: a record whole,
 * or the one event of a batch alone, with its origin in a header. Safe to repeat: a place counts
 * once, however many copies it has. `places`: only these; none = all but the discarded ones.
 */
export async function replayDeadLetters(
  parts: Pick<Parts, 'log' | 'topics' | 'pool' | 'schema'>,
  places: readonly string[],
): Promise<Replayed[]> {
  const rows = await chosenRows(parts, places);
  const schemas = await storedSchemas(parts);
  const replayed: Replayed[] = [];
  for (const row of rows) {
    const { topic, partition, offset } = row;
    const { records } = await parts.log.read(topic, partition, offset, READ_BYTES);
    const [original] = records;
    const copy = original?.offset === offset ? copyOf(original, row, schemas) : GONE;
    const isRefused = typeof copy === 'string';
    replayed.push({
      origin: originText(row),
      offset: isRefused ? null : await parts.log.append(topic, partition, [copy]),
      reason: isRefused ? copy : null,
    });
  }
  return replayed;
}

async function chosenRows(
  parts: Pick<Parts, 'log' | 'topics' | 'pool' | 'schema'>,
  places: readonly string[],
): Promise<ParkedRow[]> {
  const waiting =
    places.length === 0
      ? await parkedRows(parts, { waits: true })
      : await rowsOf(parts, places.map(placeNamed), { waits: true });
  const discarded = await discardedPlaces(
    parts,
    waiting.map(({ partition }) => partition),
  );
  if (places.length === 0) return waiting.filter((row) => !discarded.has(originText(row)));
  const byPlace = new Map(waiting.map((row) => [originText(row), row]));
  return places.map((text) => {
    const row = byPlace.get(originText(placeNamed(text)));
    if (row === undefined) {
      throw new AiRouterError('invalid_usage', `no parked place ${text} waits for its replay`);
    }
    if (!discarded.has(text)) return row;
    throw new AiRouterError('invalid_usage', `${text} was discarded, so it is not replayed`);
  });
}

/** What is appended, or why nothing is. */
function copyOf(original: LogRecord, row: ParkedRow, schemas: Schemas): NewRecord | string {
  const { key, value, timestampMs } = original;
  // Of a copy that was parked in its turn the first place is the one that counts: were both
  // replayed, what they hold would count twice.
  const first = originOf(original.headers);
  if (first !== null) return `a copy of ${originText(first)}`;
  const header = { [ORIGIN_HEADER]: Buffer.from(originText(row)) };
  const whole = { key, value, timestampMs, headers: { ...original.headers, ...header } };
  if (row.index < 0) return whole;
  const events = eventsAlone(value, schemas);
  if (events === null) return whole;
  if ('failed' in events) return events.reason;
  const event = events.at(row.index);
  return event === null ? GONE : { key, value: event, timestampMs, headers: header };
}
