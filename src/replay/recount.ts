import { decode } from '../event/decode.js';
import type { DecodedRecord, Uuid } from '../event/outcome.js';
import { recordTimeMs } from '../event/record-time.js';
import type { Schemas } from '../event/schemas.js';
import type { LogReader, LogRecord } from '../log/port.js';
import { type Topics, topicKind } from '../log/topics.js';

/** What became of the events of one partition below an offset, counted from its records alone. */
export interface Recount {
  /** Events in the log: the outcomes of a batch each, any other record one. */
  read: number;
  duplicate: number;
  skipped: number;
  late: number;
  /** Places (`offset/index`) that the projection says are parked and that are there to be parked. */
  deadLettered: number;
}

export interface RecountOptions {
  log: LogReader;
  schemas: Schemas;
  topic: string;
  partition: number;
  minuteRetentionMs: number;
}

const RECENT_EVENTS = 2 ** 16;
/** The fold's own number, written again: what is counted here takes nothing from the fold. */
const HIGH_LIFETIME_MS = 30 * 86_400_000;
/** The fold's own number, written again. */
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
  readonly counts: Recount = { read: 0, duplicate: 0, skipped: 0, late: 0, deadLettered: 0 };
  readonly #options: RecountOptions;
  readonly #highs = new Map<string, { sequence: number; usedAtMs: number }>();
  /** How often each id stands among the last events. */
  readonly #recent = new Map<string, number>();
  readonly #order: string[] = [];
  /** How many at the front of the list are out of the window already. */
  #forgotten = 0;
  readonly #replayed = new Set<string>();
  #highestMs = 0;
  #parked: ReadonlySet<string> = new Set();
  #offset = 0;

  constructor(options: RecountOptions) {
    this.#options = options;
  }

  /** Every record below this is counted. */
  get offset(): number {
    return this.#offset;
  }

  /** Counts what stands below `offsetNext`; `parked`: all parked places, as `offset/index`. */
  async countTo(offsetNext: number, parked: ReadonlySet<string>): Promise<Recount> {
    this.#parked = parked;
    const { log, topic, partition } = this.#options;
    while (this.#offset < offsetNext) {
      const batch = await log.read(topic, partition, this.#offset, READ_BYTES);
      if (batch.records.length === 0) break;
      for (const record of batch.records) {
        if (record.offset < offsetNext) this.#count(record);
      }
      this.#offset = Math.min(offsetNext, batch.records.at(-1)!.offset + 1);
    }
    return this.counts;
  }

  #count(stored: LogRecord): void {
    const record = { ...stored, timestampMs: recordTimeMs(stored.timestampMs) };
    this.#highestMs = Math.max(this.#highestMs, record.timestampMs);
    const decoded = decode(record.value, record.headers, this.#options.schemas);
    const isParked = this.#isParked(record, -1);
    // What was no record when it was read may be one today: its schema was registered since.
    if ('failed' in decoded || isParked) {
      this.counts.read += 1;
      if (isParked) this.counts.deadLettered += 1;
      return;
    }
    const events = eventsOf(decoded, topicKind(this.#options.topic));
    if (events === null) {
      this.counts.read += 1;
      this.counts.skipped += 1;
      return;
    }
    const origin = record.headers['origin']?.toString();
    if (origin !== undefined && decoded.type !== 'OutcomeSummary') {
      this.#countReplay(record, events, origin);
      return;
    }
    const isRepeated = decoded.type === 'OutcomeBatch' && !this.#isAboveHigh(record, decoded.value);
    events.forEach((event, index) => {
      this.#countEvent(record, event, index, isRepeated);
    });
  }

  /** A replayed dead letter counts once for a place of this partition that was parked before it. */
  #countReplay(record: LogRecord, events: Event[], origin: string): void {
    const { topic, partition } = this.#options;
    const parked = this.#parked;
    const prefix = `${topic}/${partition}/`;
    const place = origin.startsWith(prefix) ? origin.slice(prefix.length) : '';
    const isBefore = Number(place.split('/')[0]) < record.offset;
    const counts = parked.has(place) && isBefore && !this.#replayed.has(place);
    if (counts) this.#replayed.add(place);
    events.forEach((event, index) => {
      this.counts.read += 1;
      if (counts && this.#isParked(record, index)) {
        this.counts.deadLettered += 1;
        return;
      }
      this.#remember(Buffer.from(event.id).toString('hex'));
      if (!counts) this.counts.duplicate += 1;
      else if (this.#isLate(record, event)) this.counts.late += 1;
    });
  }

  #isLate(record: LogRecord, event: Event): boolean {
    const ahead = event.occurred_at - record.timestampMs;
    const minute = Math.floor(
      (ahead > SKEW_MAX_MS ? record.timestampMs : event.occurred_at) / 60_000,
    );
    return minute < Math.floor((record.timestampMs - this.#options.minuteRetentionMs) / 60_000);
  }

  #countEvent(record: LogRecord, event: Event, index: number, isRepeated: boolean): void {
    this.counts.read += 1;
    if (!isRepeated && this.#isParked(record, index)) {
      this.counts.deadLettered += 1;
      return;
    }
    const id = Buffer.from(event.id).toString('hex');
    const isKnown = this.#recent.has(id);
    this.#remember(id);
    if (isRepeated || isKnown) {
      this.counts.duplicate += 1;
      return;
    }
    if (this.#isLate(record, event)) this.counts.late += 1;
  }

  #isParked(record: LogRecord, index: number): boolean {
    return this.#parked.has(`${record.offset}/${index}`);
  }

  #isAboveHigh(record: LogRecord, batch: { publisher: Uuid; sequence: number }): boolean {
    const publisher = Buffer.from(batch.publisher).toString('hex');
    const stored = this.#highs.get(publisher);
    const high =
      stored !== undefined && this.#highestMs - stored.usedAtMs <= HIGH_LIFETIME_MS ? stored : null;
    const isAbove = batch.sequence > (high?.sequence ?? 0);
    this.#highs.set(publisher, {
      sequence: Math.max(batch.sequence, high?.sequence ?? 0),
      usedAtMs: Math.max(record.timestampMs, high?.usedAtMs ?? 0),
    });
    return isAbove;
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
