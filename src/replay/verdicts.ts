import type { PoolClient } from 'pg';
import { ERRORS, type ErrorCode } from '../errors.js';
import type { Verdict } from '../fold/context.js';
import type { Vector } from '../hotkeys/port.js';
import type { LogAdmin, LogReader, LogRecord, TopicPartition } from '../log/port.js';
import { offsetOf } from './vectors.js';

/** By index of a record; -1 = the record whole. */
type RecordVerdicts = ReadonlyMap<number, Verdict>;

const NOTHING_PARKED: RecordVerdicts = new Map();

/** What an earlier fold parked: by place, by offset, by index. */
export class Verdicts {
  readonly #places = new Map<string, Map<number, Map<number, Verdict>>>();
  readonly #others: RecordVerdicts | null;

  /** `others`: records of which nothing is known were either folded whole, or are to be judged. */
  constructor(others: 'folded' | 'to be judged') {
    this.#others = others === 'folded' ? NOTHING_PARKED : null;
  }

  add(place: TopicPartition, offset: number, index: number, verdict: Verdict): void {
    const records = getOrSet(this.#places, nameOf(place), () => new Map());
    getOrSet(records, offset, () => new Map()).set(index, verdict);
  }

  of(place: TopicPartition, offset: number): RecordVerdicts | null {
    return this.#places.get(nameOf(place))?.get(offset) ?? this.#others;
  }
}

/** What the live projection parked at or above the offsets given, in the caller's transaction. */
export async function storedVerdicts(
  client: PoolClient,
  schema: string,
  from: Vector,
): Promise<Verdicts> {
  const { rows } = await client.query<
    TopicPartition & { record_offset: number; index: number; code: ErrorCode; reason: string }
  >(`select topic, partition, record_offset, index, code, reason from "${schema}".parked`);
  const verdicts = new Verdicts('folded');
  for (const { record_offset, index, code, reason, ...place } of rows) {
    if (record_offset >= offsetOf(from, place)) {
      verdicts.add(place, record_offset, index, { code, reason });
    }
  }
  return verdicts;
}

const READ_BYTES = 1_048_576;

/** What the dead-letter topic says that this projection version parked. */
export async function letterVerdicts(
  log: LogReader & LogAdmin,
  topic: string,
  projectionVersion: number,
): Promise<Verdicts> {
  const verdicts = new Verdicts('to be judged');
  const partitions = (await log.partitions([topic])).get(topic) ?? 0;
  for (let partition = 0; partition < partitions; partition++) {
    const { start, end } = await log.bounds(topic, partition);
    for (let offset = start; offset < end; ) {
      const { records } = await log.read(topic, partition, offset, READ_BYTES);
      if (records.length === 0) break;
      for (const record of records) addLetter(verdicts, record, projectionVersion);
      offset = records.at(-1)!.offset + 1;
    }
  }
  return verdicts;
}

/** The reason is not in the topic: its code's meaning must do. */
function addLetter(verdicts: Verdicts, { headers }: LogRecord, projectionVersion: number): void {
  const text = (name: string): string => headers[name]?.toString() ?? '';
  if (text('projection_version') !== String(projectionVersion)) return;
  const code = text('code') as ErrorCode;
  if (!Object.hasOwn(ERRORS, code)) return;
  const place = { topic: text('topic'), partition: Number(text('partition')) };
  const verdict = { code, reason: ERRORS[code].meaning };
  verdicts.add(place, Number(text('offset')), Number(text('index')), verdict);
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

function getOrSet<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
