import { AiRouterError } from '../errors.js';
import { byteaArray } from './embedded-bytea-array.js';
import type { LogDatabase } from './embedded-database.js';
import { encodeHeaders } from './embedded-headers.js';
import type { EmbeddedTopics, Topic } from './embedded-topics.js';
import type { NewRecord } from './port.js';

/**
 * One statement, one transaction: it takes the offsets from the partition's row, which stays
 * locked until the commit, so appends to a partition commit in the order of their offsets. The
 * time is read once the row is had, and is never before that of the record ahead.
 */
export function embeddedAppend(database: LogDatabase, topics: EmbeddedTopics) {
  const statement = database.statement(
    'append',
    `with taken as (
       update ${database.table('log_partition')}
          set next_offset = next_offset + cardinality($3::bytea[]),
              last_timestamp_ms = greatest(
                last_timestamp_ms, floor(extract(epoch from clock_timestamp()) * 1000)::bigint)
        where topic_id = $1 and partition = $2
       returning next_offset - cardinality($3::bytea[]) as first_offset, last_timestamp_ms
     ), added as (
       insert into ${database.table('log_record')}
              (topic_id, partition, "offset", timestamp_ms, key, value, headers)
       select $1, $2, first_offset + place - 1, coalesce(own_ms, last_timestamp_ms),
              record_key, record_value, record_headers
         from taken,
              unnest($3::bytea[], $4::bytea[], $5::text[], $6::bigint[]) with ordinality
                as record (record_key, record_value, record_headers, own_ms, place)
     )
     select first_offset from taken`,
  );

  /** Null where the partition's row is gone. */
  async function appendTo(
    name: string,
    partition: number,
    records: readonly NewRecord[],
  ): Promise<number | null> {
    const topic = await topics.resolve(name, partition);
    const [row] = await database.query<{ first_offset: number }>(
      statement,
      appendValues(topic, partition, records),
    );
    return row?.first_offset ?? null;
  }

  return async (
    name: string,
    partition: number,
    records: readonly NewRecord[],
  ): Promise<number> => {
    if (records.length === 0) return (await topics.bounds(name, partition)).end;
    const first = await appendTo(name, partition, records);
    if (first !== null) return first;
    // Nothing was written: the topic was made anew. `resolve` throws where it is gone.
    topics.forget(name);
    const again = await appendTo(name, partition, records);
    if (again !== null) return again;
    throw new AiRouterError('log_unavailable', `Topic ${name} is being made anew.`);
  };
}

function appendValues(topic: Topic, partition: number, records: readonly NewRecord[]): unknown[] {
  const ownTime = topic.timestampType === 'CreateTime';
  return [
    topic.topicId,
    partition,
    byteaArray(records.map((record) => record.key)),
    byteaArray(records.map((record) => record.value)),
    records.map((record) => encodeHeaders(record.headers)),
    records.map((record) => (ownTime ? (record.timestampMs ?? null) : null)),
  ];
}
