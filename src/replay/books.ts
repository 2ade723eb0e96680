import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import { AiRouterError } from '../errors.js';
import type { Schemas } from '../event/schemas.js';
import type { LogReader } from '../log/port.js';
import { parkedPlaces } from './parked-places.js';
import { type Recount, Recounter } from './recount.js';
import { type Share, TooManyPublishers } from './recounted-highs.js';

/** The books of one partition, in events. */
export interface PartitionBooks {
  topic: string;
  partition: number;
  offset_next: number;
  read: number;
  /** What the tables hold, and what was late or dropped by retention. */
  applied: number;
  duplicate: number;
  dead_lettered: number;
  skipped: number;
  late: number;
  /** read = applied + duplicate + dead_lettered + skipped. */
  closed: boolean;
}

export interface BooksOptions {
  pool: Pool;
  schema: string;
  log: LogReader;
  /** Asked once it is known how far to count: every record below was read by one of these. */
  readSchemas(): Promise<Schemas>;
  /** The topic, and the table and column that hold its applied events. */
  topic: string;
  table: { name: string; events: string };
  minuteRetentionMs: number;
  /** By partition, for who closes the books again: they go on where they stood. */
  recounters?: Map<number, Recounter>;
  /** Publishers that one pass holds; other than the product's only in tests. */
  highsMax?: number | undefined;
}

/**
 * Closes the books of a topic: events are counted again from the log, applied ones from the
 * tables; no counter that wrote them is asked.
 */
export async function closeBooks(options: BooksOptions): Promise<PartitionBooks[]> {
  const { pool, schema, topic } = options;
  const stored = await withTransaction(pool, 'repeatable read', (client) =>
    readStored(client, options),
  );
  const schemas = await options.readSchemas();
  const books: PartitionBooks[] = [];
  for (const { partition, offset_next, in_tables, dropped, parked } of stored) {
    const counts = await recount(options, schemas, partition, offset_next);
    const applied = in_tables + dropped + counts.late;
    const accounted = applied + counts.duplicate + parked + counts.skipped;
    books.push({
      topic,
      partition,
      offset_next,
      read: counts.read,
      applied,
      duplicate: counts.duplicate,
      dead_lettered: parked,
      skipped: counts.skipped,
      late: counts.late,
      closed: counts.read === accounted && counts.deadLettered === parked,
    });
  }
  await refuseUnknownPartitions(pool, schema, options, books);
  return books;
}

/** More passes than this read the log for publishers that no service ever starts. */
const PASSES_MAX = 1_024;

/**
 * In one pass; where so many publishers were heard that memory would follow them, again in twice as
 * many passes, each of which judges its share of them.
 */
async function recount(
  options: BooksOptions,
  schemas: Schemas,
  partition: number,
  offsetNext: number,
): Promise<Recount> {
  for (let passes = 1; passes <= PASSES_MAX; passes *= 2) {
    const total: Recount = { read: 0, duplicate: 0, skipped: 0, late: 0, deadLettered: 0 };
    try {
      for (let index = 0; index < passes; index += 1) {
        const recounter = recounterOf(options, schemas, partition, offsetNext, {
          index,
          of: passes,
        });
        const counts = await recounter.countTo(offsetNext);
        for (const name of Object.keys(total) as (keyof Recount)[]) total[name] += counts[name];
      }
      return total;
    } catch (error) {
      if (!(error instanceof TooManyPublishers)) throw error;
      options.recounters?.delete(partition);
    }
  }
  throw new AiRouterError(
    'check_failed',
    `${options.topic}/${partition} has too many publishers to be counted again`,
  );
}

/** One that counted everything before goes on where it stood. */
function recounterOf(
  { pool, schema, log, topic, minuteRetentionMs, recounters, highsMax }: BooksOptions,
  schemas: Schemas,
  partition: number,
  offsetNext: number,
  share: Share,
): Recounter {
  const known = share.of === 1 ? recounters?.get(partition) : undefined;
  // A projection that was made anew stands below: it is counted from the start.
  if (known !== undefined && known.offset <= offsetNext) return known;
  const parked = parkedPlaces(pool, schema, topic, partition);
  const common = { log, schemas, topic, partition, minuteRetentionMs, parked };
  const recounter = new Recounter({ ...common, share, highsMax });
  if (share.of === 1) recounters?.set(partition, recounter);
  return recounter;
}

/** What the tables say of a partition, at one moment. */
interface StoredPartition {
  partition: number;
  offset_next: number;
  in_tables: number;
  dropped: number;
  parked: number;
}

async function readStored(client: PoolClient, options: BooksOptions): Promise<StoredPartition[]> {
  const { schema, topic, table } = options;
  const { rows } = await client.query<StoredPartition>(
    `select partition, offset_next,
       coalesce((select sum(${table.events}) from "${schema}".${table.name} as folded
         where folded.partition = checkpoint.partition), 0)::int8 as in_tables,
       coalesce((select dropped_events from "${schema}".retention_floor as floor
         where floor.topic = checkpoint.topic and floor.partition = checkpoint.partition
           and table_name = $2), 0)::int8 as dropped,
       (select count(*) from "${schema}".parked as parked
         where parked.topic = checkpoint.topic and parked.partition = checkpoint.partition) as parked
     from "${schema}".projection_checkpoint as checkpoint where topic = $1 order by partition`,
    [topic, table.name],
  );
  return rows;
}

/** Rows of a partition without a checkpoint would stand in no book: they close none. */
async function refuseUnknownPartitions(
  pool: Pool,
  schema: string,
  { table }: BooksOptions,
  books: PartitionBooks[],
): Promise<void> {
  const { rows } = await pool.query<{ partition: number; events: number }>(
    `select partition, sum(${table.events})::int8 as events from "${schema}".${table.name}
     where not partition = any($1::int4[]) group by partition`,
    [books.map((each) => each.partition)],
  );
  for (const { partition, events } of rows) {
    books.push({
      topic: books[0]?.topic ?? '',
      partition,
      offset_next: 0,
      read: 0,
      applied: events,
      duplicate: 0,
      dead_lettered: 0,
      skipped: 0,
      late: 0,
      closed: false,
    });
  }
}
