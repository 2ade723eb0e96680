import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import type { Schemas } from '../event/schemas.js';
import type { LogReader } from '../log/port.js';
import { Recounter } from './recount.js';

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
  const recounterOf = recounters(options, schemas);
  const books: PartitionBooks[] = [];
  for (const { partition, offset_next, in_tables, dropped } of stored.partitions) {
    const parked = stored.parked.get(partition) ?? new Set();
    const counts = await recounterOf(partition, offset_next).countTo(offset_next, parked);
    const applied = in_tables + dropped + counts.late;
    const accounted = applied + counts.duplicate + parked.size + counts.skipped;
    books.push({
      topic,
      partition,
      offset_next,
      read: counts.read,
      applied,
      duplicate: counts.duplicate,
      dead_lettered: parked.size,
      skipped: counts.skipped,
      late: counts.late,
      closed: counts.read === accounted && counts.deadLettered === parked.size,
    });
  }
  await refuseUnknownPartitions(pool, schema, options, books);
  return books;
}

function recounters(
  { log, topic, minuteRetentionMs, recounters }: BooksOptions,
  schemas: Schemas,
): (partition: number, offsetNext: number) => Recounter {
  return (partition, offsetNext) => {
    const known = recounters?.get(partition);
    // A projection that was made anew stands below: it is counted from the start.
    if (known !== undefined && known.offset <= offsetNext) return known;
    const recounter = new Recounter({ log, schemas, topic, partition, minuteRetentionMs });
    recounters?.set(partition, recounter);
    return recounter;
  };
}

interface Stored {
  partitions: { partition: number; offset_next: number; in_tables: number; dropped: number }[];
  parked: Map<number, Set<string>>;
}

async function readStored(client: PoolClient, options: BooksOptions): Promise<Stored> {
  const { schema, topic, table } = options;
  const partitions = await client.query<Stored['partitions'][number]>(
    `select partition, offset_next,
       coalesce((select sum(${table.events}) from "${schema}".${table.name} as folded
         where folded.partition = checkpoint.partition), 0)::int8 as in_tables,
       coalesce((select dropped_events from "${schema}".retention_floor as floor
         where floor.topic = checkpoint.topic and floor.partition = checkpoint.partition
           and table_name = $2), 0)::int8 as dropped
     from "${schema}".projection_checkpoint as checkpoint where topic = $1 order by partition`,
    [topic, table.name],
  );
  const parked = await client.query<{ partition: number; place: string }>(
    `select partition, record_offset || '/' || index as place
     from "${schema}".parked where topic = $1`,
    [topic],
  );
  const places = new Map<number, Set<string>>();
  for (const { partition, place } of parked.rows) {
    places.set(partition, (places.get(partition) ?? new Set()).add(place));
  }
  return { partitions: partitions.rows, parked: places };
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
