import { decode } from '../event/decode.js';
import type { DecodedRecord, Uuid } from '../event/outcome.js';
import { recordTimeMs } from '../event/record-time.js';
import type { Schemas } from '../event/schemas.js';
import type { LogReader, LogRecord } from '../log/port.js';
import { type Topics, topicKind } from '../log/topics.js';
import type { ParkedPlaces } from './parked-places.js';
import { RecountedHighs, type Share } from './recounted-highs.js';

/** What became of the events of one partition below an offset, counted from its records alone. */
export interface Recount {
  /** Events in the log: the outcomes of a batch each, any other record one. */
  read: number;
  duplicate: number;
  skipped: number;
  late: number;
  /** Places that the projection says are parked and that are there to be parked. */
  deadLettered: number;
}

export interface RecountOptions {
  log: LogReader;
  schemas: Schemas;
  topic: string;
  partition: number;
  parked: ParkedPlaces;
  minuteRetentionMs: number;
  /** Which publishers' batches are counted; the first share counts all other records. */
  share?: Share;
  /** Other than the product's only in tests. */
  highsMax?: number | undefined;
}

const RECENT_EVENTS = 2 ** 16;
/** The fold's own number, written again: what is counted here takes nothing from the fold. */
const SKEW_MAX_MS = 5 * 60_000;
/** One read of the log. */
const READ_BYTES = 4 * 1024 * 1024;

interface Event {
  id: Uuid;
  occurred_at: number;
}

/**
 * Counts a partition again, in the plainest way and without any code or counter of the fold: what
 * both say must agree. It goes on where it stood: who counts again and again reads each record once.
 */
export class Recounter {
  /** Of the share. */
  readonly counts: Recount = nothingCounted();
  readonly #others: Recount = nothingCounted();
  /** Which of the two the record is for. */
  #to: Recount = this.counts;
  readonly #options: RecountOptions;
  readonly #highs: RecountedHighs;
  /** How often each id stands among the last events. */
  readonly #recent = new Map<string, number>();
  readonly #order: string[] = [];
  /** How many at the front of the list are out of the window already. */
  #forgotten = 0;
  /** Places whose copy counted, with the end of its commit: from there on their rows say so. */
  readonly #replayed = new Map<string, number>();
  #highestMs = 0;
  /** Of the records of one read. */
  #parked: ReadonlySet<string> = new Set();
  /** Of the places that these records are copies of: where the commit of their copy ended. */
  #replayedBelow: ReadonlyMap<string, number | null> = new Map();
  #offset = 0;

  constructor(options: RecountOptions) {
    this.#options = options;
    this.#highs = new RecountedHighs(options.share, options.highsMax);
  }

  /** Every record below this is counted. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Counts what stands below `offsetNext`, which is committed. Throws `TooManyPublishers`: then it is
   * to be begun anew, in shares.
   */
  async countTo(offsetNext: number): Promise<Recount> {
    const { log, topic, partition } = this.#options;
    while (this.#offset < offsetNext) {
      const batch = await log.read(topic, partition, this.#offset, READ_BYTES);
      if (batch.records.length === 0) break;
      await this.#countRead(batch.records.filter((record) => record.offset < offsetNext));
      this.#offset = Math.min(offsetNext, batch.records.at(-1)!.offset + 1);
    }
    return this.counts;
  }

  /** Asks for what is parked of one read at a time: however much is parked, memory holds so much. */
  async #countRead(records: readonly LogRecord[]): Promise<void> {
    if (records.length === 0) return;
    const { parked } = this.#options;
    const copied = records
      .map((record) => this.#copiedPlace(record))
      .filter((place) => place !== '');
    this.#parked = await parked.between(records[0]!.offset, records.at(-1)!.offset);
    this.#replayedBelow = await parked.replayedBelow(copied);
    for (const record of records) this.#count(record);
    const next = records.at(-1)!.offset + 1;
    for (const [place, below] of this.#replayed) if (below <= next) this.#replayed.delete(place);
  }

  /** The place of this partition that a record is a copy of; empty where it is of none. */
  #copiedPlace({ headers }: LogRecord): string {
    const origin = headers['origin']?.toString() ?? '';
    const [, topic, partition, offset, index] =
      /^([^/]+)\/(\d{1,9})\/(\d{1,15})\/(-1|\d{1,9})$/.exec(origin) ?? [];
    const isHere = topic === this.#options.topic && Number(partition) === this.#options.partition;
    return isHere ? `${Number(offset)}/${Number(index)}` : '';
  }

  #count(stored: LogRecord): void {
    const record = { ...stored, timestampMs: recordTimeMs(stored.timestampMs) };
    this.#highestMs = Math.max(this.#highestMs, record.timestampMs);
    const decoded = decode(record.value, record.headers, this.#options.schemas);
    const isParked = this.#isParked(record, -1);
    const batch = 'failed' in decoded || decoded.type !== 'OutcomeBatch' ? null : decoded.value;
    const isCopy = record.headers['origin'] !== undefined;
    const isMine = this.#highs.isMine(isParked || isCopy ? null : batch);
    this.#to = isMine ? this.counts : this.#others;
    // What was no record when it was read may be one today: its schema was registered since.
    if ('failed' in decoded || isParked) {
      this.#to.read += 1;
      if (isParked) this.#to.deadLettered += 1;
      return;
    }
    const events = eventsOf(decoded, topicKind(this.#options.topic));
    if (events === null) {
      this.#to.read += 1;
      this.#to.skipped += 1;
      return;
    }
    if (isCopy && decoded.type !== 'OutcomeSummary') {
      this.#countReplay(record, events);
      return;
    }
    // Of the others' batches nothing is known, and nothing counted.
    const isRepeated =
      isMine && batch !== null && !this.#highs.isAbove(batch, record.timestampMs, this.#highestMs);
    events.forEach((event, index) => {
      this.#countEvent(record, event, index, isRepeated);
    });
  }

  /** A replayed dead letter counts once for a place of this partition that was parked before it. */
  #countReplay(record: LogRecord, events: Event[]): void {
    const counts = this.#isFirstCopy(this.#copiedPlace(record), record.offset);
    events.forEach((event, index) => {
      this.#to.read += 1;
      if (counts && this.#isParked(record, index)) {
        this.#to.deadLettered += 1;
        return;
      }
      this.#remember(Buffer.from(event.id).toString('hex'));
      if (!counts) this.#to.duplicate += 1;
      else if (this.#isLate(record, event)) this.#to.late += 1;
    });
  }

  #isFirstCopy(place: string, offset: number): boolean {
    const below = this.#replayedBelow.get(place);
    const isBefore = Number(place.split('/')[0]) < offset;
    if (below === undefined || !isBefore || this.#replayed.has(place)) return false;
    // Below that offset a copy was counted: this one comes after it.
    if (below !== null && offset >= below) return false;
    if (below !== null) this.#replayed.set(place, below);
    return true;
  }

  #isLate(record: LogRecord, event: Event): boolean {
    const ahead = event.occurred_at - record.timestampMs;
    const minute = Math.floor(
      (ahead > SKEW_MAX_MS ? record.timestampMs : event.occurred_at) / 60_000,
    );
    return minute < Math.floor((record.timestampMs - this.#options.minuteRetentionMs) / 60_000);
  }

  #countEvent(record: LogRecord, event: Event, index: number, isRepeated: boolean): void {
    this.#to.read += 1;
    if (!isRepeated && this.#isParked(record, index)) {
      this.#to.deadLettered += 1;
      return;
    }
    const id = Buffer.from(event.id).toString('hex');
    const isKnown = this.#recent.has(id);
    this.#remember(id);
    if (isRepeated || isKnown) {
      this.#to.duplicate += 1;
      return;
    }
    if (this.#isLate(record, event)) this.#to.late += 1;
  }

  #isParked(record: LogRecord, index: number): boolean {
    return this.#parked.has(`${record.offset}/${index}`);
  }

  #remember(id: string): void {
    this.#recent.set(id, (this.#recent.get(id) ?? 0) + 1);
    this.#order.push(id);
    if (this.#order.length - this.#forgotten > RECENT_EVENTS) {
      this.#forget(this.#order[this.#forgotten]!);
      this.#forgotten += 1;
    }
    if (this.#forgotten > RECENT_EVENTS) {
      this.#order.splice(0, this.#forgotten);
      this.#forgotten = 0;
    }
  }

  #forget(id: string): void {
    const times = this.#recent.get(id)! - 1;
    if (times === 0) this.#recent.delete(id);
    else this.#recent.set(id, times);
  }
}

function nothingCounted(): Recount {
  return { read: 0, duplicate: 0, skipped: 0, late: 0, deadLettered: 0 };
}

/** The events of a record that its topic is folded from; null = it is skipped whole. */
function eventsOf(decoded: DecodedRecord, kind: keyof Topics | null): Event[] | null {
  if (kind === 'summaries') {
    if (decoded.type !== 'OutcomeSummary') return null;
    return [{ id: decoded.value.id, occurred_at: decoded.value.occurred_at }];
  }
  switch (decoded.type) {
    case 'OutcomeBatch':
      return decoded.value.outcomes.map(({ event_id, occurred_at }) => ({
        id: event_id,
        occurred_at,
      }));
    case 'RequestOutcome':
      return [{ id: decoded.value.event_id, occurred_at: decoded.value.occurred_at }];
    default:
      return null;
  }
}
