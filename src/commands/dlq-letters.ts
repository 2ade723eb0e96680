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
  record: LogRecord;
}

/** What the dead-letter topic says of one partition. */
export interface PartitionLetters {
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

/** `isWanted`: whose letters are kept; discards are all kept. */
export async function lettersOfPartition(
  { log, topics }: Pick<Parts, 'log' | 'topics'>,
  partition: number,
  isWanted: (place: string) => boolean = () => true,
): Promise<PartitionLetters> {
  const found: PartitionLetters = { letters: new Map(), discarded: new Set() };
  const { start, end } = await log.bounds(topics.deadLetters, partition);
  for (let offset = start; offset < end; ) {
    const { records } = await log.read(topics.deadLetters, partition, offset, READ_BYTES);
    if (records.length === 0) break;
    for (const record of records) {
      const letter = parseLetter(record);
      if (letter === null) continue;
      const place = originText(letter);
      if (letter.code === DISCARDED) found.discarded.add(place);
      else if (isWanted(place) && !found.letters.has(place)) {
        found.letters.set(place, { letter, record });
      }
    }
    offset = records.at(-1)!.offset + 1;
  }
  return found;
}

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
    const { discarded } = await lettersOfPartition(parts, partition, () => false);
    for (const place of discarded) places.add(place);
  }
  return places;
}

/** The parked places of the projection, in their order. */
export async function parkedRows({
  pool,
  schema,
}: Pick<Parts, 'pool' | 'schema'>): Promise<ParkedRow[]> {
  const { rows } = await pool.query<ParkedRow>(
    `select topic, partition, record_offset as offset, index, code, reason, replayed_below
     from "${schema}".parked order by topic, partition, record_offset, index`,
  );
  return rows;
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
