import { DISCARDED, parseLetter, type StoredLetter, valueHash } from './dead-letters.js';
import type { LogAdmin, LogReader, LogRecord, TopicPartition } from './port.js';

/**
 * Letters of a record by index, as the fold takes them. They need not be all: of those that an
 * attempt left out nothing is known, and they are judged.
 */
export type LettersOfRecord = ReadonlyMap<number, Pick<StoredLetter, 'code' | 'reason'>>;

export interface UncommittedLettersOptions {
  log: LogReader & Pick<LogAdmin, 'bounds'>;
  deadLetterTopic: string;
  source: TopicPartition;
  /** Letters of other versions do not count: another version judges anew. */
  projectionVersion: number;
  /** Offset in the dead-letter topic below which no letter counts any more. */
  from: number;
  /** Letters that are held at once. */
  lettersMax?: number;
  /** Letters of our own after which the scan moves on. */
  rescanAfter?: number;
}

/** Some 3 MB. A single batch rarely parks a hundredth of it. */
const LETTERS_MAX = 10_000;
const RESCAN_AFTER = 1_000;
/** One read of the topic. */
const READ_BYTES = 1_048_576;

interface Group {
  /** Of the record's value. */
  hash: string;
  /** Where the first of them stands in the dead-letter topic. */
  at: number;
  letters: Map<number, Pick<StoredLetter, 'code' | 'reason'>>;
}

/**
 * Dead letters of places that no commit has passed: an attempt appended them and crashed or was
 * overtaken before its commit. Their places are parked by them and not judged again, so that a
 * place is parked once.
 *
 * How far back it reads: letters of places at or above the checkpoint are found from `from` on,
 * which is stored with every commit. It is the end of the last scan, once no letter that was found
 * there waits for its commit: what was appended before that scan is known to lie below the
 * checkpoint, and what comes later stands behind it, whoever appends. After each 1,000 letters of
 * our own the scan goes on, so that the next owner reads about so many, however long this one had
 * the partition. A projection that begins anew has no such offset and reads all.
 *
 * How much it holds: the letters of the lowest 10,000 places. Where there are more, records at or
 * above the first one left out wait for another scan.
 *
 * A letter speaks for a record only if it is about the same bytes: a topic that was made anew gives
 * its places to other records.
 */
export class UncommittedLetters {
  readonly #options: UncommittedLettersOptions;
  readonly #groups = new Map<number, Group>();
  #from: number;
  /** Records below this offset have no letter but those that are held. */
  #knownBelow = 0;
  #scannedTo = 0;
  #appended = 0;

  constructor(options: UncommittedLettersOptions) {
    this.#options = options;
    this.#from = options.from;
  }

  /** Tells how many letters the caller has appended. */
  noteAppended(letters: number): void {
    this.#appended += letters;
  }

  /**
   * The letters of these records, which begin at the checkpoint, by offset; `through` = how many of
   * the records they are all letters of, at least one.
   */
  async of(
    records: readonly LogRecord[],
  ): Promise<{ letters: ReadonlyMap<number, LettersOfRecord>; through: number }> {
    const first = records[0]!.offset;
    const last = records.at(-1)!.offset;
    const isDue = this.#appended >= (this.#options.rescanAfter ?? RESCAN_AFTER);
    if (isDue || last >= this.#knownBelow) await this.#scan(first);
    const letters = new Map<number, LettersOfRecord>();
    if (this.#groups.size > 0) {
      for (const { offset, value } of records) {
        const group = this.#groups.get(offset);
        if (group !== undefined && group.hash === valueHash(value))
          letters.set(offset, group.letters);
      }
    }
    const beyond = records.findIndex(({ offset }) => offset >= this.#knownBelow);
    return { letters, through: beyond === -1 ? records.length : beyond };
  }

  /** What is stored with a commit that ends below this offset: where the next owner begins. */
  from(offsetNext: number): number {
    for (const offset of this.#groups.keys()) {
      if (offset < offsetNext) this.#groups.delete(offset);
    }
    if (this.#knownBelow !== Infinity) return this.#from;
    this.#from = this.#scannedTo;
    for (const { at } of this.#groups.values()) this.#from = Math.min(this.#from, at);
    return this.#from;
  }

  /** Reads all letters from `from` on; of places at or above `offsetNext` the lowest are held. */
  async #scan(offsetNext: number): Promise<void> {
    const { log, deadLetterTopic, source } = this.#options;
    const { start, end } = await log.bounds(deadLetterTopic, source.partition);
    // A topic that was made anew begins again.
    const from = this.#from > end ? start : Math.max(this.#from, start);
    this.#groups.clear();
    this.#knownBelow = Infinity;
    let held = 0;
    let least = end;
    for (let offset = from; offset < end; ) {
      const { records } = await log.read(deadLetterTopic, source.partition, offset, READ_BYTES);
      if (records.length === 0) break;
      for (const record of records) {
        const letter = this.#ownLetter(record);
        if (letter === null || letter.offset < offsetNext) continue;
        least = Math.min(least, record.offset);
        if (letter.offset >= this.#knownBelow) continue;
        held += this.#hold(letter, record.offset);
        if (held > 2 * this.#lettersMax) held = this.#leaveOutHighest();
      }
      offset = records.at(-1)!.offset + 1;
    }
    this.#from = least;
    this.#scannedTo = end;
    this.#appended = 0;
  }

  #ownLetter(record: LogRecord): StoredLetter | null {
    const { source, projectionVersion } = this.#options;
    const letter = parseLetter(record);
    if (letter === null || letter.code === DISCARDED) return null;
    const isOwn =
      letter.topic === source.topic &&
      letter.partition === source.partition &&
      letter.projectionVersion === projectionVersion;
    return isOwn ? letter : null;
  }

  /** The first letter of a place stands; other bytes are of another record, the newest stand. */
  #hold({ offset, index, code, reason, hash }: StoredLetter, at: number): number {
    const group = this.#groups.get(offset);
    if (group === undefined || group.hash !== hash) {
      const letters = new Map([[index, { code, reason }]]);
      this.#groups.set(offset, { hash, at, letters });
      return 1 - (group?.letters.size ?? 0);
    }
    if (group.letters.has(index)) return 0;
    group.letters.set(index, { code, reason });
    return 1;
  }

  /** Keeps the lowest places up to the limit, at least those of one record; answers how many. */
  #leaveOutHighest(): number {
    let held = 0;
    let isFull = false;
    for (const offset of [...this.#groups.keys()].sort((a, b) => a - b)) {
      const { size } = this.#groups.get(offset)!.letters;
      isFull ||= held > 0 && held + size > this.#lettersMax;
      if (!isFull) held += size;
      else {
        this.#knownBelow = Math.min(this.#knownBelow, offset);
        this.#groups.delete(offset);
      }
    }
    return held;
  }

  get #lettersMax(): number {
    return this.#options.lettersMax ?? LETTERS_MAX;
  }
}

/** How the letters of a partition are found, for the pipeline. */
export function findUncommitted(
  log: UncommittedLettersOptions['log'],
  deadLetterTopic: string,
  projectionVersion: number,
): (source: TopicPartition, from: number) => UncommittedLetters {
  return (source, from) =>
    new UncommittedLetters({ log, deadLetterTopic, source, projectionVersion, from });
}
