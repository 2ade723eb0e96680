import { AiRouterError } from '../../src/errors.js';
import type { AdmittedKey } from '../../src/fold/admission.js';
import type { BatchCounts, BatchResult, ParkedPlace } from '../../src/fold/context.js';
import type { DeadLetterCounters } from '../../src/fold/dead-letter-limit.js';
import { type Origin, placeText } from '../../src/fold/origin.js';
import { NEW_STATE } from '../../src/fold/partition-state.js';
import type { PublisherHigh } from '../../src/fold/publisher-highs.js';
import type { HotSource } from '../../src/hotkeys/source.js';
import type { Checkpoint, LastRecord } from '../../src/project/checkpoint.js';
import type { Commit, ProjectionStore } from '../../src/project/projection-store.js';
import { HotValues } from './hot-values.js';
import { GENERATION, placeName } from './layout.js';
import { MergedTables } from './merged-tables.js';
import type { Call } from './scheduler.js';

export interface ParkedRow extends ParkedPlace {
  isReplayed: boolean;
}

/** What is stored of one partition. */
export interface StoredPlace {
  offsetNext: number;
  highestRecordMs: number | null;
  last: LastRecord | null;
  windowOffset: number | null;
  deadLettersFrom: number;
  deadLetters: DeadLetterCounters;
  highs: Map<string, PublisherHigh>;
  admitted: AdmittedKey[];
  parked: Map<string, ParkedRow>;
  tables: MergedTables;
  /** Sums of what the commits said of their batches. */
  counts: BatchCounts;
}

/** A transaction as it was sent: its caller may go on with the state that it was taken from. */
export interface SentCommit {
  place: string;
  expected: number;
  offsetNext: number;
  highestRecordMs: number | null;
  last: LastRecord;
  windowOffset: number | null;
  deadLettersFrom: number;
  deadLetters: Omit<DeadLetterCounters, 'allowedTo'>;
  highs: PublisherHigh[];
  admitted: AdmittedKey[];
  oldestDayKept: number | null;
  result: BatchResult;
}

/** Told of each commit once it is stored, with the rows that it changed. */
export type OnCommit = (commit: SentCommit, stored: StoredPlace, changed: string[]) => void;

/** The projections in memory: nothing but what was committed, whole or not at all. */
export class SimulatedStore {
  readonly hotValues = new HotValues();
  readonly #places = new Map<string, StoredPlace>();
  readonly #onCommit: OnCommit;

  constructor(onCommit: OnCommit) {
    this.#onCommit = onCommit;
  }

  connect(call: Call): ProjectionStore & HotSource {
    return {
      load: (topic, partition) =>
        call(`load ${topic}/${partition}`, false, () => this.load(placeName({ topic, partition }))),
      replayable: (topic, partition, origins) =>
        origins.length === 0
          ? Promise.resolve(new Set<string>())
          : call(`replayable ${topic}/${partition}`, false, () =>
              this.replayable(topic, partition, origins),
            ),
      parked: (topic, partition, first, last) =>
        call(`parked ${topic}/${partition} ${first}..${last}`, false, () =>
          this.parked(topic, partition, first, last),
        ),
      highs: (topic, partition, publishers) =>
        call(`highs ${topic}/${partition}`, false, () => {
          const { highs } = this.place(placeName({ topic, partition }));
          return publishers.map((each) => highs.get(each)).filter((high) => high !== undefined);
        }),
      commit: (commit) => {
        const sent = sentCommit(commit);
        const { place, expected, offsetNext } = sent;
        return call(`commit ${place} ${expected}..${offsetNext}`, true, () => this.commit(sent));
      },
      generation: () => call('generation', false, () => GENERATION),
      generationInForce: () => call('generation in force', false, () => GENERATION),
      health: () => call('health', false, () => this.hotValues.health()),
      metrics: (since) => call('metrics', false, () => this.hotValues.metrics(since)),
    };
  }

  place(name: string): StoredPlace {
    let stored = this.#places.get(name);
    if (stored === undefined) {
      stored = newPlace();
      this.#places.set(name, stored);
    }
    return stored;
  }

  load(name: string): Checkpoint {
    const stored = this.place(name);
    const newestDay = Math.max(...stored.admitted.map((entry) => entry.day));
    return {
      offsetNext: stored.offsetNext,
      highestRecordMs: stored.highestRecordMs,
      admitted: stored.admitted.filter((entry) => entry.day >= newestDay - 1),
      deadLetters: { ...stored.deadLetters, recent: [...stored.deadLetters.recent] },
      last: stored.last,
      windowOffset: stored.windowOffset,
      deadLettersFrom: stored.deadLettersFrom,
    };
  }

  replayable(topic: string, partition: number, origins: readonly Origin[]): Set<string> {
    const { parked } = this.place(placeName({ topic, partition }));
    return new Set(
      origins
        .filter((origin) => origin.topic === topic && origin.partition === partition)
        .map(({ offset, index }) => placeText(offset, index))
        .filter((place) => parked.get(place)?.isReplayed === false),
    );
  }

  parked(topic: string, partition: number, first: number, last: number): Set<string> {
    const { parked } = this.place(placeName({ topic, partition }));
    const found = [...parked].filter(([, { offset }]) => offset >= first && offset <= last);
    return new Set(found.map(([place]) => place));
  }

  /** As `airouter dlq allow` does. */
  allow(name: string, to: number): void {
    this.place(name).deadLetters.allowedTo = to;
  }

  commit(sent: SentCommit): void {
    const stored = this.place(sent.place);
    if (stored.offsetNext !== sent.expected) {
      throw new AiRouterError('checkpoint_moved', `${sent.place} is at ${stored.offsetNext}`);
    }
    const changed = stored.tables.apply(sent.result.delta);
    stored.offsetNext = sent.offsetNext;
    stored.highestRecordMs = sent.highestRecordMs;
    stored.last = sent.last;
    stored.windowOffset = sent.windowOffset;
    stored.deadLettersFrom = sent.deadLettersFrom;
    stored.deadLetters = { ...sent.deadLetters, allowedTo: stored.deadLetters.allowedTo };
    for (const high of sent.highs) stored.highs.set(high.publisher, high);
    storeAdmitted(stored, sent);
    for (const parked of sent.result.parked) {
      const place = placeText(parked.offset, parked.index);
      if (!stored.parked.has(place)) stored.parked.set(place, { ...parked, isReplayed: false });
    }
    for (const place of sent.result.replayed) stored.parked.get(place)!.isReplayed = true;
    for (const name of Object.keys(stored.counts) as (keyof BatchCounts)[]) {
      stored.counts[name] += sent.result.counts[name];
    }
    this.hotValues.commit(sent.place, sent.offsetNext, sent.result);
    this.#onCommit(sent, stored, changed);
  }
}

function newPlace(): StoredPlace {
  return {
    ...NEW_STATE,
    deadLetters: { ...NEW_STATE.deadLetters },
    last: null,
    windowOffset: null,
    deadLettersFrom: 0,
    highs: new Map(),
    admitted: [],
    parked: new Map(),
    tables: new MergedTables(),
    counts: { read: 0, applied: 0, duplicate: 0, deadLettered: 0, skipped: 0, late: 0, skewed: 0 },
  };
}

function storeAdmitted(stored: StoredPlace, { admitted, oldestDayKept }: SentCommit): void {
  if (admitted.length === 0) return;
  const textOf = ({ day, kind, key }: AdmittedKey): string => `${day}/${kind}/${key}`;
  const known = new Set(stored.admitted.map(textOf));
  const added = admitted.filter((entry) => !known.has(textOf(entry)));
  stored.admitted = [...stored.admitted, ...added].filter(({ day }) => day >= (oldestDayKept ?? 0));
}

function sentCommit({ state, expected, last, deadLettersFrom, result }: Commit): SentCommit {
  const { records, run, recent } = state.limit.counters();
  return {
    place: placeName(state),
    expected,
    offsetNext: state.offsetNext,
    highestRecordMs: state.highestRecordMs,
    last,
    windowOffset: state.recent.oldestOffset(),
    deadLettersFrom,
    deadLetters: { records, run, recent },
    highs: state.highs.takeChanged(),
    admitted: state.admission.takeAdmitted(),
    oldestDayKept: state.admission.oldestDayKept(),
    result,
  };
}
