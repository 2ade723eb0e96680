import type { FoldedOutcome } from '../../src/event/outcome.js';
import { STATUSES } from '../../src/event/outcome.js';
import { brokenRule } from '../../src/event/rules.js';
import { RECENT_IDS, SETTINGS } from './layout.js';
import { idText, type StoredRecord } from './simulated-log.js';

/**
 * What the tables of one partition of outcomes must sum up to, counted from its records in the
 * plainest way, without any code of the fold. Two rules say what is a duplicate: a batch that is
 * not above its publisher's highest sequence, and an id among the last events.
 */
export interface Ledger {
  read: number;
  applied: number;
  duplicate: number;
  deadLettered: number;
  skipped: number;
  late: number;
  skewed: number;
  /** Places, as `offset/index`, that must be parked. */
  parked: Set<string>;
  /** How often each id was applied. */
  times: Map<string, number>;
  /** Sums by column of `outcome_minute`. */
  minutes: Record<string, bigint>;
  usage: Record<string, bigint>;
  ticks: Record<string, bigint>;
}

const HIGH_LIFETIME_MS = 30 * 86_400_000;
const SKEW_MAX_MS = 5 * 60_000;

export function ledgerOf(place: string, records: readonly StoredRecord[]): Ledger {
  const counter = new Counter(place);
  for (const record of records) counter.count(record);
  return counter.ledger;
}

class Counter {
  readonly ledger: Ledger = {
    read: 0,
    applied: 0,
    duplicate: 0,
    deadLettered: 0,
    skipped: 0,
    late: 0,
    skewed: 0,
    parked: new Set(),
    times: new Map(),
    minutes: {},
    usage: {},
    ticks: {},
  };
  readonly #place: string;
  readonly #highs = new Map<string, { sequence: number; usedAtMs: number }>();
  readonly #replayed = new Set<string>();
  #recent: string[] = [];
  #highestMs = 0;

  constructor(place: string) {
    this.#place = place;
  }

  count(record: StoredRecord): void {
    this.#highestMs = Math.max(this.#highestMs, record.timestampMs);
    const { decoded } = record;
    if ('failed' in decoded) {
      this.#park(record, -1);
      return;
    }
    if (decoded.type !== 'OutcomeBatch' && decoded.type !== 'RequestOutcome') {
      this.ledger.read += 1;
      this.ledger.skipped += 1;
      return;
    }
    const events = decoded.type === 'OutcomeBatch' ? decoded.value.outcomes : [decoded.value];
    const origin = record.headers['origin']?.toString();
    if (origin !== undefined) {
      this.#countReplay(record, events, origin);
      return;
    }
    if (decoded.type === 'OutcomeBatch' && !this.#isNewBatch(record, decoded.value)) {
      for (const event of events) this.#countDuplicate(event);
      return;
    }
    events.forEach((event, index) => {
      if (brokenRule(event) !== null) this.#park(record, index);
      else if (this.#recent.includes(idText(event.event_id))) this.#countDuplicate(event);
      else this.#apply(record, event);
    });
  }

  #countReplay(record: StoredRecord, events: FoldedOutcome[], origin: string): void {
    const prefix = `${this.#place}/`;
    const parkedAt = origin.startsWith(prefix) ? origin.slice(prefix.length) : '';
    const counts = this.ledger.parked.has(parkedAt) && !this.#replayed.has(parkedAt);
    if (counts) this.#replayed.add(parkedAt);
    events.forEach((event, index) => {
      if (!counts) this.#countDuplicate(event);
      else if (brokenRule(event) !== null) this.#park(record, index);
      else this.#apply(record, event);
    });
  }

  #isNewBatch(
    record: StoredRecord,
    { publisher, sequence }: { publisher: Uint8Array; sequence: number },
  ): boolean {
    const id = idText(publisher);
    const stored = this.#highs.get(id);
    const isForgotten =
      stored === undefined || this.#highestMs - stored.usedAtMs > HIGH_LIFETIME_MS;
    const high = isForgotten ? { sequence: 0, usedAtMs: 0 } : stored;
    this.#highs.set(id, {
      sequence: Math.max(high.sequence, sequence),
      usedAtMs: Math.max(high.usedAtMs, record.timestampMs),
    });
    return sequence > high.sequence;
  }

  #park(record: StoredRecord, index: number): void {
    this.ledger.read += 1;
    this.ledger.deadLettered += 1;
    this.ledger.parked.add(`${record.offset}/${index}`);
  }

  #countDuplicate(event: FoldedOutcome): void {
    this.ledger.read += 1;
    this.ledger.duplicate += 1;
    this.#remember(event);
  }

  #remember(event: FoldedOutcome): void {
    this.#recent = [...this.#recent, idText(event.event_id)].slice(-RECENT_IDS);
  }

  #apply({ timestampMs }: StoredRecord, event: FoldedOutcome): void {
    this.#remember(event);
    this.ledger.read += 1;
    this.ledger.applied += 1;
    const id = idText(event.event_id);
    this.ledger.times.set(id, (this.ledger.times.get(id) ?? 0) + 1);
    const age = timestampMs - event.occurred_at;
    if (age <= 60_000 && age >= -5_000) {
      addTo(this.ledger.ticks, { events: 1, [event.status]: 1 });
    }
    const isSkewed = age < -SKEW_MAX_MS;
    if (isSkewed) this.ledger.skewed += 1;
    const minute = Math.floor((isSkewed ? timestampMs : event.occurred_at) / 60_000);
    if (minute < Math.floor((timestampMs - SETTINGS.minuteRetentionMs) / 60_000)) {
      this.ledger.late += 1;
      return;
    }
    addTo(this.ledger.minutes, {
      events: 1,
      [event.status]: 1,
      ...known('input_tokens', event.input_tokens),
      ...known('output_tokens', event.output_tokens),
    });
    addTo(this.ledger.usage, { events: 1, ...known('cost_nano_usd', event.cost_nano_usd) });
  }
}

/** The columns that a ledger sums up. */
export const LEDGER_COLUMNS = {
  minutes: [
    'events',
    ...STATUSES,
    'input_tokens_known',
    'input_tokens',
    'output_tokens_known',
    'output_tokens',
  ],
  usage: ['events', 'cost_nano_usd_known', 'cost_nano_usd'],
  ticks: ['events', ...STATUSES],
} as const;

function known(name: string, value: number | null): Record<string, number> {
  return value === null ? {} : { [`${name}_known`]: 1, [name]: value };
}

function addTo(sums: Record<string, bigint>, amounts: Record<string, number>): void {
  for (const [name, amount] of Object.entries(amounts)) {
    sums[name] = (sums[name] ?? 0n) + BigInt(amount);
  }
}
