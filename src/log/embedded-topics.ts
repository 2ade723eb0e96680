import { AiRouterError } from '../errors.js';
import type { LogDatabase } from './embedded-database.js';
import type { Bounds, LogAdmin, TimestampType, TopicSpec } from './port.js';

export interface Topic {
  topicId: number;
  partitions: number;
  timestampType: TimestampType;
}

export interface EmbeddedTopics extends LogAdmin {
  /** The topic, if it has the partition; else `invalid_usage`. */
  resolve(topic: string, partition: number): Promise<Topic>;
  /** What is known of a topic is asked again: it may have been made anew. */
  forget(topic: string): void;
}

export function embeddedTopics(database: LogDatabase): EmbeddedTopics {
  const known = new Map<string, Topic>();
  const find = findTopics(database);
  const bounds = boundsOf(database);
  const remove = deleteTopics(database);

  async function resolve(name: string, partition: number): Promise<Topic> {
    const topic = known.get(name) ?? (await find([name])).get(name);
    if (topic === undefined) throw wrongUse(`Topic ${name} does not exist`);
    known.set(name, topic);
    if (Number.isInteger(partition) && partition >= 0 && partition < topic.partitions) return topic;
    throw wrongUse(`Topic ${name} has ${topic.partitions} partitions, and no number ${partition}`);
  }

  return {
    resolve,
    forget: (topic) => void known.delete(topic),
    createTopics: createTopics(database, find),
    async deleteTopics(topics) {
      await remove(topics);
      for (const topic of topics) known.delete(topic);
    },
    async partitions(topics) {
      const found = await find(topics);
      return new Map([...found].map(([name, { partitions }]) => [name, partitions]));
    },
    async bounds(topic, partition) {
      const { topicId } = await resolve(topic, partition);
      return bounds(topicId, partition);
    },
    async offsetForTime(name, partition, timestampMs) {
      const topic = await resolve(name, partition);
      const range = await bounds(topic.topicId, partition);
      return topic.timestampType === 'LogAppendTime'
        ? bisect(database, topic.topicId, partition, range, timestampMs)
        : scan(database, topic.topicId, partition, range, timestampMs);
    },
    // What is durable follows from the database, not from the topic.
    weaknesses: async () => [],
  };
}

function findTopics(database: LogDatabase) {
  const statement = database.statement(
    'find_topics',
    `select topic, topic_id, partitions, timestamp_type
       from ${database.table('log_topic')} where topic = any($1)`,
  );
  return async (topics: readonly string[]): Promise<Map<string, Topic>> => {
    const rows = await database.query<{
      topic: string;
      topic_id: number;
      partitions: number;
      timestamp_type: TimestampType;
    }>(statement, [topics]);
    return new Map(
      rows.map((row) => [
        row.topic,
        {
          topicId: row.topic_id,
          partitions: row.partitions,
          timestampType: row.timestamp_type,
        },
      ]),
    );
  };
}

/** One statement makes a topic with all its partitions, so that nobody sees a part of them. */
function createTopics(database: LogDatabase, find: ReturnType<typeof findTopics>) {
  const statement = database.statement(
    'create_topics',
    `with made as (
       insert into ${database.table('log_topic')} (topic, partitions, timestamp_type)
       select * from unnest($1::text[], $2::int[], $3::text[])
       on conflict (topic) do nothing
       returning topic_id, partitions
     )
     insert into ${database.table('log_partition')} (topic_id, partition)
     select topic_id, generate_series(0, partitions - 1) from made`,
  );
  return async (specs: readonly TopicSpec[]): Promise<void> => {
    // In name order: two starters never wait for each other.
    const sorted = [...specs].sort((a, b) => (a.topic < b.topic ? -1 : 1));
    const names = sorted.map((spec) => spec.topic);
    await database.query(statement, [
      names,
      sorted.map((spec) => spec.partitions),
      sorted.map((spec) => spec.timestampType),
    ]);
    const found = await find(names);
    for (const spec of sorted) checkTopic(spec, found.get(spec.topic));
  };
}

/** The records in a second statement: it sees those of an append that the first one waited for. */
function deleteTopics(database: LogDatabase) {
  const topics = database.statement(
    'delete_topics',
    `delete from ${database.table('log_topic')} where topic = any($1) returning topic_id`,
  );
  const records = database.statement(
    'delete_records',
    `delete from ${database.table('log_record')} where topic_id = any($1)`,
  );
  return async (names: readonly string[]): Promise<void> => {
    const removed = await database.query<{ topic_id: number }>(topics, [names]);
    await database.query(records, [removed.map((row) => row.topic_id)]);
  };
}

function checkTopic(asked: TopicSpec, found: Topic | undefined): void {
  if (found?.partitions === asked.partitions && found.timestampType === asked.timestampType) {
    return;
  }
  throw new AiRouterError(
    'invalid_setting',
    `Topic ${asked.topic} exists with ${found?.partitions} partitions and ${found?.timestampType}; asked for are ${asked.partitions} and ${asked.timestampType}.`,
    { field: asked.topic, rule: 'the partitions and timestamps that the topic was made with' },
  );
}

function boundsOf(database: LogDatabase) {
  const statement = database.statement(
    'bounds',
    `select start_offset, next_offset from ${database.table('log_partition')}
      where topic_id = $1 and partition = $2`,
  );
  return async (topicId: number, partition: number): Promise<Bounds> => {
    const [row] = await database.query<{ start_offset: number; next_offset: number }>(statement, [
      topicId,
      partition,
    ]);
    if (row === undefined) throw wrongUse('The topic was removed');
    return { start: row.start_offset, end: row.next_offset };
  };
}

/** Times that the log gives never run back: some 20 look-ups whatever the length of the log. */
async function bisect(
  database: LogDatabase,
  topicId: number,
  partition: number,
  range: Bounds,
  timestampMs: number,
): Promise<number> {
  const statement = database.statement(
    'timestamp_at',
    `select timestamp_ms from ${database.table('log_record')}
      where topic_id = $1 and partition = $2 and "offset" = $3`,
  );
  let { start: low, end: high } = range;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [row] = await database.query<{ timestamp_ms: number }>(statement, [
      topicId,
      partition,
      middle,
    ]);
    if (row !== undefined && row.timestamp_ms >= timestampMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The records' own times have no order. */
async function scan(
  database: LogDatabase,
  topicId: number,
  partition: number,
  range: Bounds,
  timestampMs: number,
): Promise<number> {
  const statement = database.statement(
    'first_since',
    `select "offset" from ${database.table('log_record')}
      where topic_id = $1 and partition = $2 and "offset" >= $3 and timestamp_ms >= $4
      order by "offset" limit 1`,
  );
  const [row] = await database.query<{ offset: number }>(statement, [
    topicId,
    partition,
    range.start,
    timestampMs,
  ]);
  return row?.offset ?? range.end;
}

function wrongUse(message: string): AiRouterError {
  return new AiRouterError('invalid_usage', `${message}.`);
}
