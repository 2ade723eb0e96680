import { decodeWhole } from '../../src/event/decode.js';
import { encodeRecord } from '../../src/event/encode.js';
import type { RequestOutcome } from '../../src/event/outcome.js';
import { placeText } from '../../src/fold/origin.js';
import { parseLetter } from '../../src/log/dead-letters.js';
import type { Failures } from './failures.js';
import { FOLDED, placeName, TOPICS } from './layout.js';
import { PrefixOracle } from './prefix-oracle.js';
import type { SimulatedLog } from './simulated-log.js';
import type { SentCommit, StoredPlace } from './simulated-store.js';

/** Checks each commit the moment that it is stored, whoever sent it. */
export class CommitChecks {
  readonly #log: SimulatedLog;
  readonly #failures: Failures;
  readonly #oracles = new Map(
    FOLDED.map((place) => [placeName(place), new PrefixOracle(place.topic, place.partition)]),
  );

  constructor(log: SimulatedLog, failures: Failures) {
    this.#log = log;
    this.#failures = failures;
  }

  onCommit(sent: SentCommit, stored: StoredPlace, changed: readonly string[]): void {
    const oracle = this.#oracles.get(sent.place)!;
    const from = oracle.state.offsetNext;
    if (sent.expected !== from || sent.offsetNext <= from) {
      const move = `${sent.place} from ${sent.expected} to ${sent.offsetNext}`;
      this.#failures.fail('I5', `a commit moves ${move}, stored was ${from}`);
      return;
    }
    const folded = oracle.fold(this.#log.records(sent.place, from, sent.offsetNext));
    this.#checkState(sent.place, oracle, stored);
    for (const row of new Set([...changed, ...folded])) {
      const what = `${sent.place} at ${sent.offsetNext}, row ${row.replaceAll('\u0000', ' ')}`;
      const expected = oracle.tables.rowText(row);
      this.#failures.equal('I4', what, stored.tables.rowText(row), expected);
    }
    for (const { offset, index } of sent.result.parked) {
      this.#checkDeadLetter(sent.place, offset, index);
    }
    this.#checkDeadLettersFrom(sent);
  }

  /** Everything that is stored, not only what a commit touched. */
  checkAll(placeOf: (name: string) => StoredPlace): void {
    for (const [name, oracle] of this.#oracles) {
      const stored = placeOf(name);
      this.#checkState(name, oracle, stored);
      this.#failures.equal('I4', `${name}: rows`, stored.tables.text(), oracle.tables.text());
      for (const { offset, index } of stored.parked.values()) {
        this.#checkDeadLetter(name, offset, index);
      }
    }
  }

  /** Whether the partition had to stop behind its newest record. */
  isLimitPassed(name: string): boolean {
    return this.#oracles.get(name)!.state.limit.isPassed();
  }

  #checkState(name: string, { state }: PrefixOracle, stored: StoredPlace): void {
    const { records, run, recent } = state.limit.counters();
    const { allowedTo: _, ...deadLetters } = stored.deadLetters;
    this.#failures.equal(
      'I4',
      `${name}: checkpoint`,
      [stored.offsetNext, stored.highestRecordMs, stored.windowOffset, deadLetters],
      [
        state.offsetNext,
        state.highestRecordMs,
        state.recent.oldestOffset(),
        { records, run, recent },
      ],
    );
  }

  /** The next owner looks no further back: no letter of a place that is to come may stand there. */
  #checkDeadLettersFrom({ place, offsetNext, deadLettersFrom }: SentCommit): void {
    const [topic, partition] = place.split('/') as [string, string];
    const letters = { topic: TOPICS.deadLetters, partition: +partition };
    for (const record of this.#log.records(placeName(letters), 0, deadLettersFrom)) {
      const letter = parseLetter(record)!;
      if (letter.topic !== topic || letter.offset < offsetNext) continue;
      const where = `the letter of ${place}/${letter.offset}/${letter.index}`;
      this.#failures.fail('I9', `${where} is left behind by a commit up to ${offsetNext}`);
    }
  }

  /** A place is committed as parked only once its bytes are in the dead-letter topic. */
  #checkDeadLetter(place: string, offset: number, index: number): void {
    const [topic, partition] = place.split('/') as [string, string];
    const [record] = this.#log.records(place, offset, offset + 1);
    const letters = this.#log.records(
      placeName({ topic: TOPICS.deadLetters, partition: +partition }),
    );
    const isThere = letters.some(({ headers, value }) => {
      const text = (name: string): string => String(headers[name]);
      if (text('topic') !== topic || text('partition') !== partition) return false;
      if (`${text('offset')}/${text('index')}` !== placeText(offset, index)) return false;
      const held = index < 0 ? record!.value : eventOf(record!.value, index);
      return value === null ? held === null : held?.equals(value) === true;
    });
    if (!isThere) {
      const where = `${place}/${offset}/${index}`;
      this.#failures.fail('I9', `${where} is parked and not in the dead-letter topic`);
    }
  }
}

/** What the letter of an event holds: of a batch that event alone. */
function eventOf(value: Buffer | null, index: number): Buffer | null {
  const decoded = decodeWhole(value);
  if ('failed' in decoded || decoded.type !== 'OutcomeBatch') return value;
  const { outcomes } = decoded.value as { outcomes: RequestOutcome[] };
  return encodeRecord('RequestOutcome', outcomes[index]!);
}
