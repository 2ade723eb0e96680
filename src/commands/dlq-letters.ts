import { AiRouterError } from '../errors.js';
import { type Origin, originText, parseOrigin } from '../fold/origin.js';
import { DISCARDED, parseLetter, type StoredLetter } from '../log/dead-letters.js';
import type { LogRecord } from '../log/port.js';
import type { Parts } from '../roles/parts.js';

/**
 * - `pending`: its letter is in the topic, its commit has not come yet.
 * - `parked`: it waits to be replayed or discarded.
 * - `replayed`: a copy of it counted.
 * - `discarded`: an operator said that it will not be replayed.
 */
export type PlaceState = 'pending' | 'parked' | 'replayed' | 'discarded';

/** A letter as it stands in the dead-letter topic. */
export interface FoundLetter {
  letter: StoredLetter;
  /** Of its value. */
  bytes: number;
  /** Null where many are looked at: their values together may be more than memory holds. */
  record: LogRecord | null;
}

/** What the dead-letter topic says of one partition. */
export interface PartitionLetters {
  partition: number;
  /** By place; parking may repeat: the first letter of a place stands for all. */
  letters: Map<string, FoundLetter>;
  discarded: Set<string>;
}

/** What the projection says of a parked place. */
export interface ParkedRow extends Origin {
  code: string;
  reason: string;
  replayed_below: number | null;
}

/** One read of the topic. */
const READ_BYTES = 1_048_576;

/** One partition after the other: each is as large as what was parked of it. */
export async function* partitionLetters(
  parts: Pick<Parts, 'log' | 'topics'>,
): AsyncGenerator<PartitionLetters> {
  const topic = parts.topics.deadLetters;
  const partitions = (await parts.log.partitions([topic])).get(topic) ?? 0;
  for (let partition = 0; partition < partitions; partition++) {
    yield await lettersOfPartition(parts, partition);
  }
}

/** `only`: the place whose letter is kept, with its record; discards are all kept. */
export async function lettersOfPartition(
  { log, topics }: Pick<Parts, 'log' | 'topics'>,
  partition: number,
  only: string | null = null,
): Promise<PartitionLetters> {
  const found: PartitionLetters = { partition, letters: new Map(), discarded: new Set() };
  const { start, end } = await log.bounds(topics.deadLetters, partition);
  for (let offset = start; offset < end; ) {
    const { records } = await log.read(topics.deadLetters, partition, offset, READ_BYTES);
    if (records.length === 0) break;
    for (const record of records) {
      const letter = parseLetter(record);
      if (letter === null) continue;
      const place = originText(letter);
      if (letter.code === DISCARDED) found.discarded.add(place);
      else if ((only === null || only === place) && !found.letters.has(place)) {
        const bytes = record.value?.length ?? 0;
        found.letters.set(place, { letter, bytes, record: only === null ? null : record });
      }
    }
    offset = records.at(-1)!.offset + 1;
  }
  return found;
}

const NO_PLACE = '';

/** Every discarded place of these partitions. */
export async function discardedPlaces(
  parts: Pick<Parts, 'log' | 'topics'>,
  partitions: Iterable<number>,
): Promise<Set<string>> {
  const { topics, log } = parts;
  const count = (await log.partitions([topics.deadLetters])).get(topics.deadLetters) ?? 0;
  const places = new Set<string>();
  for (const partition of new Set(partitions)) {
    if (partition >= count) continue;
    const { discarded } = await lettersOfPartition(parts, partition, NO_PLACE);
    for (const place of discarded) places.add(place);
  }
  return places;
}

/** Which parked places are asked for; what is not given says nothing. */
export interface ParkedFilter {
  place?: Origin;
  partition?: number;
  code?: string;
  /** No copy of it counted. */
  waits?: true;
}

/** Parked places of the projection, in their order. */
export async function parkedRows(
  { pool, schema }: Pick<Parts, 'pool' | 'schema'>,
  { place, partition, code, waits }: ParkedFilter,
): Promise<ParkedRow[]> {
  const { rows } = await pool.query<ParkedRow>(
    `select topic, partition, record_offset as offset, index, code, reason, replayed_below
     from "${schema}".parked
     where ($1::text is null or topic = $1) and ($2::int4 is null or partition = $2)
       and ($3::int8 is null or record_offset = $3) and ($4::int4 is null or index = $4)
       and ($5::text is null or code = $5) and (not $6 or replayed_below is null)
     order by topic, partition, record_offset, index`,
    [
      place?.topic,
      place?.partition ?? partition,
      place?.offset,
      place?.index,
      code,
      waits === true,
    ],
  );
  return rows;
}

/** Those of named places that are parked. */
export async function rowsOf(
  parts: Pick<Parts, 'pool' | 'schema'>,
  places: readonly Origin[],
  filter: Pick<ParkedFilter, 'waits'> = {},
): Promise<ParkedRow[]> {
  const found: ParkedRow[] = [];
  for (const place of places) found.push(...(await parkedRows(parts, { ...filter, place })));
  return found;
}

export function stateOf(row: ParkedRow | undefined, isDiscarded: boolean): PlaceState {
  if (row === undefined) return 'pending';
  if (row.replayed_below !== null) return 'replayed';
  return isDiscarded ? 'discarded' : 'parked';
}

/** A place as the user names it; anything else is `invalid_usage`. */
export function placeNamed(text: string): Origin {
  const place = parseOrigin(text);
  if (originText(place) === text && place.topic !== '') return place;
  throw new AiRouterError(
    'invalid_usage',
    `a place is topic/partition/offset/index, as dlq list shows them, got "${text}"`,
    { field: 'place', rule: 'topic/partition/offset/index' },
  );
}
