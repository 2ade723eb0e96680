import type { Pool } from 'pg';
import { recordTimeMs } from '../event/record-time.js';
import type { Schemas } from '../event/schemas.js';
import type { Verdict } from '../fold/context.js';
import type { Row } from '../fold/delta.js';
import { HIGH_LIFETIME_MS } from '../fold/publisher-highs.js';
import { TABLES } from '../fold/tables.js';
import type { Vector } from '../hotkeys/port.js';
import type { ParkLetters } from '../log/dead-letters.js';
import type {
  ConsumerHandlers,
  LogAdmin,
  LogBatch,
  LogReader,
  TopicPartition,
} from '../log/port.js';
import type { Topics } from '../log/topics.js';
import { createMetrics } from '../observe/metrics.js';
import { createPipeline, type PipelineParts } from '../pipeline.js';
import { floorsOf } from '../project/commit-rows.js';
import { forgetHighs } from '../project/highs.js';
import { createProjectionStore, type ProjectionStore } from '../project/projection-store.js';
import { dropExpired } from '../project/retention.js';
import { rollUp } from '../project/rollup.js';
import { PartitionReader } from './partition-reader.js';
import type { ShadowSettings } from './shadow.js';
import { offsetOf, type Place, placesOf } from './vectors.js';
import { nobodyJudged, type ReadVerdicts, type Verdicts } from './verdicts.js';

/** Partitions that are folded side by side: while one waits for Postgres, another one decodes. */
const LANES = 4;
/** What all partitions hold in memory together, and one at most: larger reads make fewer rows. */
const BYTES_MAX = 128 * 1024 * 1024;
/** One partition's part at most: a read that is longer makes no fewer rows. */
const PARTITION_BYTES_MAX = 4 * 1024 * 1024;
/** And at least: a batch of our publishers. */
const PARTITION_BYTES_MIN = 65_536;

export interface LogFoldOptions {
  log: LogReader & LogAdmin;
  topics: Topics;
  schemas: Schemas;
  lookUpSchemas: PipelineParts['lookUpSchemas'];
  pool: Pool;
  /** The shadow: it is empty, and no one else writes to it. */
  schema: string;
  settings: ShadowSettings;
  /** What is parked for the first time. */
  parkDeadLetters: ParkLetters;
  /** Where no live projection says what was parked, the dead-letter topic does. */
  uncommittedLetters?: NonNullable<PipelineParts['uncommittedLetters']>;
  onProgress(done: LogFold['done']): void;
}

/**
 * Folds the log into a schema of its own, with the pipeline of the projectors: what differs is only
 * what surrounds it. No hot keys; the verdicts of an earlier fold, and no limit of dead letters,
 * since whoever stood before it has let them pass.
 *
 * It goes day by day of record time, as the live projection did: hours are rolled up while their
 * minutes are there, ranges that every partition has left behind are dropped, and the shadow never
 * grows beyond what is live.
 */
export class LogFold {
  /** So far, in records and events. */
  readonly done = { records: 0, events: 0 };
  readonly #options: LogFoldOptions;
  readonly #handlers: ConsumerHandlers;
  readonly #readers = new Map<string, PartitionReader>();
  readonly #tickFloors = new Map<string, number>();
  #readVerdicts: ReadVerdicts = nobodyJudged;
  /** Of the batch that each partition folds; null = it is to be judged. */
  readonly #verdicts = new Map<string, Verdicts | null>();

  constructor(options: LogFoldOptions) {
    const { pool, schema, settings, topics } = options;
    this.#options = options;
    const store = createProjectionStore({ pool, schema, owner: 'rebuild', settings, topics });
    this.#handlers = createPipeline({
      ...options,
      keysMax: settings.keysMax,
      store: this.#watched(store),
      refresher: { notify: () => {} },
      metrics: createMetrics(),
      verdicts: (place, offset) => this.#verdictsOf(place, offset),
    });
  }

  /** Folds every record below the vector that is not folded yet. */
  async foldTo(target: Vector, readVerdicts: ReadVerdicts): Promise<void> {
    this.#readVerdicts = readVerdicts;
    const readers = await this.#readersOf(target);
    for (;;) {
      const days = await Promise.all(
        readers.map((reader) => reader.nextDay(offsetOf(target, reader.place))),
      );
      const day = Math.min(...days.map((each) => each ?? Number.POSITIVE_INFINITY));
      if (day === Number.POSITIVE_INFINITY) return;
      const due = readers.filter((_, index) => days[index] === day);
      await inLanes(due, LANES, (reader) => this.#foldDay(reader, day, target));
      await this.#tidy();
    }
  }

  async #foldDay(reader: PartitionReader, day: number, target: Vector): Promise<void> {
    const end = offsetOf(target, reader.place);
    for (;;) {
      const batch = await reader.take(day, end);
      if (batch === null) return;
      await this.#foldBatch(batch);
      this.done.records += batch.records.length;
      this.#options.onProgress(this.done);
    }
  }

  /** The pipeline may go on from before the end of what it was given. */
  async #foldBatch(batch: LogBatch): Promise<void> {
    let { records } = batch;
    const [first, last] = [records[0]!.offset, records.at(-1)!.offset];
    this.#verdicts.set(nameOf(batch), await this.#readVerdicts(batch, first, last));
    while (records.length > 0) {
      const fetchOffset = records[0]!.offset;
      const next = await this.#handlers.batch({ ...batch, fetchOffset, records });
      records = records.filter((record) => record.offset >= next);
    }
  }

  #verdictsOf(place: TopicPartition, offset: number): RecordVerdicts | null {
    const verdicts = this.#verdicts.get(nameOf(place)) ?? null;
    return verdicts === null ? null : (verdicts.get(offset) ?? NOTHING_PARKED);
  }

  async #readersOf(target: Vector): Promise<PartitionReader[]> {
    const { log } = this.#options;
    const places = placesOf(target).filter((place) => place.offset > 0);
    const bytes = Math.floor(BYTES_MAX / places.length);
    const bytesMax = Math.max(PARTITION_BYTES_MIN, Math.min(PARTITION_BYTES_MAX, bytes));
    for (const place of places) {
      if (this.#readers.has(nameOf(place))) continue;
      await this.#handlers.assigned(place);
      await this.#noteTickFloor(place);
      this.#readers.set(nameOf(place), new PartitionReader(log, place, bytesMax));
    }
    return places.map((place) => this.#readers.get(nameOf(place))!);
  }

  /**
   * The last record says which ticks will have expired when the fold is there: most of those of a
   * long log. Nothing is counted of them and nothing made from them, so they are not written.
   */
  async #noteTickFloor({ topic, partition, offset }: Place): Promise<void> {
    const { log, settings } = this.#options;
    const last = (await log.read(topic, partition, offset - 1, 1)).records[0];
    const [floor] = floorsOf(TICK_TABLES, recordTimeMs(last?.timestampMs ?? 0), settings);
    this.#tickFloors.set(nameOf({ topic, partition }), floor!.floor);
  }

  async #tidy(): Promise<void> {
    const { pool, schema, topics } = this.#options;
    while ((await rollUp(pool, schema)) > 0);
    await dropExpired(pool, schema, topics);
    await forgetHighs(pool, schema, HIGH_LIFETIME_MS);
  }

  /** The store of the shadow, its commits counted and without expired ticks. */
  #watched(store: ProjectionStore): ProjectionStore {
    return {
      ...store,
      load: async (topic, partition) => {
        const checkpoint = await store.load(topic, partition);
        const deadLetters = { ...checkpoint.deadLetters, allowedTo: Number.MAX_SAFE_INTEGER };
        return { ...checkpoint, deadLetters };
      },
      commit: async (commit) => {
        const floor = this.#tickFloors.get(nameOf(commit.state)) ?? 0;
        for (const { name } of TICK_TABLES) dropBelow(commit.result.delta.rows[name], floor);
        await store.commit(commit);
        this.done.events += commit.result.counts.read;
      },
    };
  }
}

type RecordVerdicts = ReadonlyMap<number, Verdict>;
const NOTHING_PARKED: RecordVerdicts = new Map();

const TICK_TABLES = Object.values(TABLES).filter((table) => table.time === 'tick');

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** Their time is the first column. */
function dropBelow(rows: Map<string, Row>, floor: number): void {
  for (const [key, row] of rows) if ((row[0] as number) < floor) rows.delete(key);
}

/** Works on the items side by side, so many at a time; after an error none is begun any more. */
async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  const ended = await Promise.allSettled(
    Array.from({ length: lanes }, () =>
      lane().catch((error: unknown) => {
        left.length = 0;
        throw error;
      }),
    ),
  );
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
}
