import { ORIGIN_HEADER, originText } from '../../src/fold/origin.js';
import type { NewRecord } from '../../src/log/port.js';
import { placeName, TOPICS } from './layout.js';
import { createRandom, type Random } from './random.js';
import type { Command, Foreign } from './scenario.js';
import { idText, type StoredRecord } from './simulated-log.js';
import type { System } from './system.js';
import {
  catalogueRecord,
  forgedBatch,
  garbage,
  gauge,
  idOf,
  outcomeOf,
  singleRecord,
  summary,
} from './traffic.js';

const MS_AN_HOUR = 3_600_000;
/** No publisher sends a batch again that is older. */
const REPEAT_AGE_MS_MAX = 7 * 24 * MS_AN_HOUR;
const FLOOD_RECORDS = 22;
const FORGED_PUBLISHERS = 2;

/** Does to the system what the commands say. */
export class Commands {
  readonly #system: System;
  #ids = 0;
  readonly #sequences = new Map<string, number>();

  constructor(system: System) {
    this.#system = system;
  }

  async apply(command: Command): Promise<void> {
    const system = this.#system;
    const { scheduler } = system;
    scheduler.trace.add(scheduler.nowMs, `-- ${JSON.stringify(command)}`);
    switch (command.do) {
      case 'publish':
        return this.#publish(command.slot, command.outcomes, command.draw);
      case 'flush':
        return system.flush(command.slot);
      case 'foreign':
        return this.#write(command.what, command.partition, createRandom(command.draw + 1));
      case 'repeat':
        return this.#repeat(command.partition, command.draw);
      case 'replay dead letter':
        return this.#replay(command.partition, createRandom(command.draw + 1));
      case 'crash':
        return system.crash(command.role, command.slot);
      case 'restart':
        return system.restart(command.slot);
      case 'stall':
        system.process(command.role, command.slot).isStalled = true;
        if (command.role === 'projector') system.rebalance();
        return;
      case 'resume':
        for (const process of system.processes) process.isStalled = false;
        return;
      case 'rebalance':
        return system.rebalance();
      case 'outage':
        scheduler.away.add(command.service);
        return;
      case 'return':
        return scheduler.away.clear();
      case 'lose hot keys':
        return system.hotKeys.lose();
      case 'expire':
        // What was sent before does not stay under way for days.
        await scheduler.settleWrites();
        scheduler.nowMs += command.hours * MS_AN_HOUR;
        return;
      case 'drift':
        system.log.driftMs = command.minutes * 60_000;
        return;
    }
  }

  async #publish(slot: number, count: number, draw: number): Promise<void> {
    const { scheduler, publishers, sharedIds } = this.#system;
    const process = publishers[slot]!;
    if (process.isStalled) return;
    const random = createRandom(draw + 1);
    await scheduler.run(process, `records ${count}`, () => {
      for (let n = 0; n < count; n++) {
        const isShared = random.chance(0.05) && this.#ids > 0;
        const id = isShared ? this.#knownId(random) : this.#newId();
        if (isShared) sharedIds.add(idText(id));
        const outcome = outcomeOf(id, draw + n, scheduler.nowMs);
        if (process.publisher.record(outcome) === 'accepted') process.accepted.push(idText(id));
      }
    });
  }

  #write(what: Foreign, partition: number, random: Random): void {
    const { log, scheduler } = this.#system;
    const { nowMs } = scheduler;
    const draw = random.below(1_000_000);
    const outcomes = (record: NewRecord): number =>
      log.append(TOPICS.outcomes, partition, [record]);
    switch (what) {
      case 'single':
        outcomes(singleRecord(this.#outcome(this.#newId(), draw)));
        break;
      case 'repeated id':
        outcomes(singleRecord(this.#outcome(this.#knownId(random), draw)));
        break;
      case 'broken':
        outcomes(singleRecord({ ...this.#outcome(this.#newId(), draw), model: '' }));
        break;
      case 'mended':
        // As a producer does that learns of its mistake and sends the same ids again.
        for (const id of this.#newestIds(3)) outcomes(singleRecord(this.#outcome(id, draw)));
        break;
      case 'batch':
        outcomes(this.#forge(partition, random));
        break;
      case 'garbage':
        outcomes(garbage(draw));
        break;
      case 'flood of garbage':
        for (let n = 0; n < FLOOD_RECORDS; n++) outcomes(garbage(draw + n));
        break;
      case 'gauge':
        log.append(TOPICS.inflight, 0, [gauge(draw)]);
        break;
      case 'summary':
        log.append(TOPICS.summaries, 0, [summary(draw, nowMs)]);
        break;
      case 'catalogue':
        log.append(TOPICS.catalogue, 0, [catalogueRecord(draw)]);
        break;
      case 'wrong topic':
        log.append(TOPICS.inflight, 0, [singleRecord(this.#outcome(this.#newId(), draw))]);
        outcomes(gauge(draw));
        break;
    }
  }

  /** A batch of another program: its sequence may repeat or leave numbers out. */
  #forge(partition: number, random: Random): NewRecord {
    const publisher = random.below(FORGED_PUBLISHERS);
    const key = `${publisher}/${partition}`;
    const newest = this.#sequences.get(key) ?? 0;
    const sequence = Math.max(1, newest + random.pick([1, 1, 1, 2, 0, -1]));
    this.#sequences.set(key, Math.max(newest, sequence));
    // A program that makes a mistake makes it in all that it sends.
    const badShare = random.chance(0.3) ? 0.9 : 0.15;
    const outcomes = Array.from({ length: 1 + random.below(4) }, () => {
      const id = random.chance(0.8) ? this.#newId() : this.#knownId(random);
      const outcome = this.#outcome(id, random.below(1_000_000));
      return random.chance(badShare) ? { ...outcome, provider: '' } : outcome;
    });
    return forgedBatch(idOf(2, publisher), sequence, outcomes);
  }

  #repeat(partition: number, draw: number): void {
    const { log, scheduler } = this.#system;
    const place = placeName({ topic: TOPICS.outcomes, partition });
    const youngest = scheduler.nowMs + log.driftMs - REPEAT_AGE_MS_MAX;
    const batches = log
      .records(place)
      .filter(
        ({ decoded, timestampMs }) =>
          !('failed' in decoded) && decoded.type === 'OutcomeBatch' && timestampMs > youngest,
      );
    if (batches.length === 0) return;
    const { key, value, headers } = batches[draw % batches.length]!;
    log.append(TOPICS.outcomes, partition, [{ key, value, headers }]);
  }

  /** What `airouter dlq replay` appends, for a place that is parked, or for one that is not. */
  #replay(partition: number, random: Random): void {
    const { log } = this.#system;
    const place = placeName({ topic: TOPICS.outcomes, partition });
    const letters = log.records(placeName({ topic: TOPICS.deadLetters, partition }));
    const own = letters.filter(({ headers }) => String(headers['topic']) === TOPICS.outcomes);
    if (own.length === 0) return;
    const letter = random.pick(own);
    const offset = Number(String(letter.headers['offset']));
    const index = Number(String(letter.headers['index']));
    const [source] = log.records(place, offset, offset + 1);
    const origin = originText({ topic: TOPICS.outcomes, partition, offset, index });
    const headers = { [ORIGIN_HEADER]: Buffer.from(origin) };
    const isMended = random.chance(0.6);
    const outcome = this.#outcome(mendedId(source!, index) ?? this.#newId(), random.below(1e6));
    const record = isMended ? singleRecord(outcome) : { ...letter, headers };
    log.append(TOPICS.outcomes, partition, [{ ...record, headers }]);
  }

  #outcome(id: Buffer, draw: number) {
    const outcome = outcomeOf(id, draw, this.#system.scheduler.nowMs);
    this.#system.sharedIds.add(idText(id));
    return outcome;
  }

  #newId(): Buffer {
    this.#ids += 1;
    return idOf(0, this.#ids);
  }

  #knownId(random: Random): Buffer {
    const back = random.below(Math.min(Math.max(this.#ids, 1), 40));
    return idOf(0, Math.max(1, this.#ids - back));
  }

  #newestIds(count: number): Buffer[] {
    return Array.from({ length: Math.min(count, this.#ids) }, (_, n) => idOf(0, this.#ids - n));
  }
}

function mendedId({ decoded }: StoredRecord, index: number): Buffer | null {
  if ('failed' in decoded || index < 0) return null;
  if (decoded.type === 'RequestOutcome') return Buffer.from(decoded.value.event_id);
  if (decoded.type !== 'OutcomeBatch') return null;
  return Buffer.from(decoded.value.outcomes[index]!.event_id);
}
