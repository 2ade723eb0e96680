import type { PoolClient } from 'pg';
import type { ErrorCode } from '../errors.js';
import type { Verdict } from '../fold/context.js';
import type { Vector } from '../hotkeys/port.js';
import type { TopicPartition } from '../log/port.js';
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

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

function getOrSet<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
