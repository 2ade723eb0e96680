import type { Pool } from 'pg';
import { withTransaction } from '../database/connect.js';
import { AiRouterError } from '../errors.js';
import { INPUT_CLASS_LIMITS } from '../event/input-class.js';
import type { BatchResult, FoldSettings } from '../fold/context.js';
import type { Origin } from '../fold/origin.js';
import type { PartitionState } from '../fold/partition-state.js';
import type { PublisherHigh } from '../fold/publisher-highs.js';
import { TABLE_NAMES, TABLES, type Table } from '../fold/tables.js';
import type { TopicPartition } from '../log/port.js';
import type { Topics } from '../log/topics.js';
import {
  type Checkpoint,
  type CheckpointMove,
  type LastRecord,
  loadCheckpoint,
  storeAdmitted,
} from './checkpoint.js';
import { createCommitRows, type Floor, floorsOf } from './commit-rows.js';
import { readHighs } from './highs.js';
import { readParked, readReplayable, storeParked, storeReplayed } from './parked.js';
import { TimePartitions } from './time-partitions.js';

export interface Commit {
  /** The partition's state behind the batch. */
  state: PartitionState;
  /** The stored offset that the batch began at. */
  expected: number;
  last: LastRecord;
  /** Where the next owner begins to look for letters without a commit. */
  deadLettersFrom: number;
  result: BatchResult;
}

/** The projections of one version in Postgres: what a partition starts from, and its commits. */
export interface ProjectionStore {
  load(topic: string, partition: number): Promise<Checkpoint>;
  /** Of the places that replayed records name: the parked ones without a counted copy. */
  replayable(topic: string, partition: number, origins: readonly Origin[]): Promise<Set<string>>;
  /** Places, as `offset/index`, that are parked of the records from `first` to `last`. */
  parked(topic: string, partition: number, first: number, last: number): Promise<Set<string>>;
  /** What is stored of these publishers. */
  highs(topic: string, partition: number, publishers: readonly string[]): Promise<PublisherHigh[]>;
  /**
   * One transaction: the checkpoint by compare-and-set, then every row of the batch. Throws
   * `checkpoint_moved` and changes nothing where another projector was faster.
   */
  commit(commit: Commit): Promise<void>;
}

export interface ProjectionStoreOptions {
  pool: Pool;
  schema: string;
  /** Who commits; informs only. */
  owner: string;
  settings: FoldSettings;
  topics: Topics;
}

export function createProjectionStore(options: ProjectionStoreOptions): ProjectionStore {
  const { pool, schema } = options;
  const timePartitions = new TimePartitions(schema);
  const rowWriters = rowWritersOf(schema, options.topics);
  /** The checkpoints' table, by place, as it was when the place was loaded. */
  const loadedFrom = new Map<string, number>();
  /** Floors as last stored, by place. */
  const storedFloors = new Map<string, string>();
  const tablesOf = (topic: string): Table[] =>
    Object.values(TABLES).filter((table: Table) => options.topics[table.source] === topic);

  return {
    ...lookUps(pool, schema),

    async load(topic, partition) {
      const checkpoint = await withTransaction(pool, 'repeatable read', (client) =>
        loadCheckpoint(client, schema, topic, partition),
      );
      const place = placeOf({ topic, partition });
      loadedFrom.set(place, checkpoint.tableId);
      storedFloors.delete(place);
      return checkpoint;
    },

    async commit(commit) {
      const { state, result } = commit;
      await timePartitions.create(pool, timePartitions.missing(result.delta));
      const floors = newFloors(state);
      try {
        await write(commit, floors);
      } catch (error) {
        throw rangeIsGone(error) ? refuseDropped(timePartitions) : error;
      }
      if (floors.length > 0) storedFloors.set(placeOf(state), JSON.stringify(floors));
    },
  };

  /** Empty where they are what was stored last. */
  function newFloors(state: PartitionState): Floor[] {
    const tables = tablesOf(state.topic);
    const floors = floorsOf(tables, state.highestRecordMs ?? 0, options.settings);
    return storedFloors.get(placeOf(state)) === JSON.stringify(floors) ? [] : floors;
  }

  /** One statement is a transaction of its own; what is rare takes others, and one around them. */
  async function write(commit: Commit, floors: readonly Floor[]): Promise<void> {
    const { state, result } = commit;
    const { topic, partition, admission, highs, offsetNext } = state;
    const tableId = loadedFrom.get(placeOf(state)) ?? null;
    const move = { ...moveOf(commit, options.owner), tableId };
    const rows = { move, highs: highs.takeChanged(), floors, result };
    const admitted = admission.takeAdmitted();
    const writeRows = rowWriters.get(topic)!;
    if (admitted.length + result.parked.length + result.replayed.length === 0) {
      return writeRows(pool, rows);
    }
    await withTransaction(pool, 'read committed', async (client) => {
      const place = [client, schema, topic, partition] as const;
      await writeRows(client, rows);
      await storeAdmitted(...place, admitted, admission.oldestDayKept());
      await storeParked(...place, result.parked);
      await storeReplayed(...place, offsetNext, result.replayed);
    });
  }
}

/** By topic. */
function rowWritersOf(
  schema: string,
  topics: Topics,
): ReadonlyMap<string, ReturnType<typeof createCommitRows>> {
  const sources = new Set(TABLE_NAMES.map((name) => TABLES[name].source));
  return new Map([...sources].map((it) => [topics[it], createCommitRows(schema, it)]));
}

/** What a batch asks for before it is folded. */
function lookUps(
  pool: Pool,
  schema: string,
): Pick<ProjectionStore, 'replayable' | 'parked' | 'highs'> {
  return {
    replayable: (topic, partition, origins) =>
      origins.length === 0
        ? Promise.resolve(new Set<string>())
        : readReplayable(pool, schema, topic, partition, origins),
    parked: (topic, partition, first, last) =>
      readParked(pool, schema, topic, partition, [first, last]),
    highs: (topic, partition, publishers) => readHighs(pool, schema, topic, partition, publishers),
  };
}

const placeOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

function moveOf(
  { state, expected, last, deadLettersFrom }: Commit,
  owner: string,
): Omit<CheckpointMove, 'tableId'> {
  const { records, run, recent } = state.limit.counters();
  return {
    topic: state.topic,
    partition: state.partition,
    expected,
    offsetNext: state.offsetNext,
    last,
    windowOffset: state.recent.oldestOffset(),
    highestRecordMs: state.highestRecordMs,
    records,
    undecodableRun: run,
    undecodableRecent: recent,
    deadLettersFrom,
    owner,
  };
}

/** No partition of a time table holds the row: retention dropped its range after we looked. */
function rangeIsGone(error: unknown): boolean {
  const { code, message = '' } = error as { code?: string; message?: string };
  return code === '23514' && message.startsWith('no partition of relation');
}

function refuseDropped(timePartitions: TimePartitions): AiRouterError {
  timePartitions.forget();
  return new AiRouterError('database_unavailable', 'a time range was dropped meanwhile');
}

const MS_A_DAY = 86_400_000;
const MS_A_MINUTE = 60_000;

/** Settings that other rows would follow from: a projection version keeps the ones it began with. */
export function foldIdentity(settings: FoldSettings, keysMax: number): Record<string, string> {
  return {
    AIROUTER_TICK_RETENTION_MINUTES: String(settings.tickRetentionMs / MS_A_MINUTE),
    AIROUTER_MINUTE_RETENTION_DAYS: String(settings.minuteRetentionMs / MS_A_DAY),
    AIROUTER_KEYS_MAX: String(keysMax),
    input_class_limits: INPUT_CLASS_LIMITS.join(','),
  };
}

/** The settings that such an identity was made from. */
export function settingsOf(
  identity: Readonly<Record<string, string>>,
): FoldSettings & { keysMax: number } {
  return {
    tickRetentionMs: Number(identity['AIROUTER_TICK_RETENTION_MINUTES']) * MS_A_MINUTE,
    minuteRetentionMs: Number(identity['AIROUTER_MINUTE_RETENTION_DAYS']) * MS_A_DAY,
    keysMax: Number(identity['AIROUTER_KEYS_MAX']),
  };
}
