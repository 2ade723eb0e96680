import { AiRouterError } from '../errors.js';
import type { LogDatabase } from './embedded-database.js';
import { decodeHeaders } from './embedded-headers.js';
import type { EmbeddedTopics } from './embedded-topics.js';
import type { LogBatch, LogRecord } from './port.js';

/** Of one batch: tiny records would else make millions of objects. */
const RECORDS_MAX = 10_000;
/** What a record takes beside its key and value, roughly. */
const RECORD_OVERHEAD_BYTES = 32;

interface Row {
  start_offset: number;
  next_offset: number;
  offset: number | null;
  timestamp_ms: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: string | null;
}

/**
 * One statement, so that records and bounds are of one moment. The records are walked one by one
 * (recursive), since no limit by count bounds their bytes.
 */
export function embeddedRead(database: LogDatabase, topics: EmbeddedTopics) {
  const columns = `"offset", timestamp_ms, key, value, headers`;
  const statement = database.statement(
    'read',
    `with recursive walk as (
       (select ${columns}, ${sizeOf('first')} as bytes, 1 as place
          from ${database.table('log_record')} as first
         where topic_id = $1 and partition = $2 and "offset" >= $3
         order by "offset" limit 1)
       union all
       select following.*
         from walk, lateral (
           select ${columns.replaceAll(/\w+|"offset"/g, 'record.$&')},
                  walk.bytes + ${sizeOf('record')}, walk.place + 1
             from ${database.table('log_record')} as record
            where topic_id = $1 and partition = $2 and record."offset" > walk."offset"
            order by record."offset" limit 1) as following
        where walk.bytes < $4 and walk.place < ${RECORDS_MAX}
     )
     select start_offset, next_offset, ${columns}
       from ${database.table('log_partition')} left join walk on true
      where topic_id = $1 and partition = $2
      order by "offset"`,
  );

  return async (
    name: string,
    partition: number,
    offset: number,
    maxBytes: number,
  ): Promise<LogBatch> => {
    const { topicId } = await topics.resolve(name, partition);
    const rows = await database.query<Row>(statement, [topicId, partition, offset, maxBytes]);
    const [first] = rows;
    if (first === undefined) {
      topics.forget(name);
      throw new AiRouterError('log_unavailable', `Topic ${name} was removed or made anew.`);
    }
    if (offset < first.start_offset) throw truncated(name, partition, offset, first.start_offset);
    return {
      topic: name,
      partition,
      fetchOffset: offset,
      records: rows.filter((row) => row.offset !== null).map(toRecord),
      highWatermark: first.next_offset,
    };
  };
}

const sizeOf = (alias: string): string =>
  `coalesce(octet_length(${alias}.key), 0) + coalesce(octet_length(${alias}.value), 0)
     + coalesce(octet_length(${alias}.headers), 0) + ${RECORD_OVERHEAD_BYTES}`;

function toRecord(row: Row): LogRecord {
  return {
    offset: row.offset!,
    timestampMs: row.timestamp_ms,
    key: row.key,
    value: row.value,
    headers: decodeHeaders(row.headers),
  };
}

function truncated(topic: string, partition: number, asked: number, start: number): AiRouterError {
  return new AiRouterError(
    'log_truncated',
    `${topic}/${partition} starts at offset ${start}; offset ${asked} was asked for.`,
  );
}
