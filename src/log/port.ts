/**
 * The log, as the rest of the product sees it. Two adapters implement it, the embedded one on
 * Postgres tables and Kafka, and one contract suite holds for both (test/log/contract.ts).
 *
 * Offsets are those of Kafka: each record has one, they rise within a partition, gaps are normal.
 * They are JavaScript numbers: 2^53 records a partition are out of reach.
 */

export interface TopicPartition {
  topic: string;
  partition: number;
}

export type Headers = Readonly<Record<string, Buffer>>;

export interface NewRecord {
  key: Buffer | null;
  value: Buffer | null;
  headers?: Headers;
  /** CreateTime topics only: the record's own time, ms since the epoch. */
  timestampMs?: number;
}

export interface LogRecord {
  offset: number;
  /** ms since the epoch; not always rising */
  timestampMs: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: Headers;
}

/** Records of one partition in offset order, as one fetch brought them. */
export interface LogBatch extends TopicPartition {
  /**
   * The offset that was asked for: every record of the partition from here to the last one is in
   * `records`.
   */
  fetchOffset: number;
  records: readonly LogRecord[];
  /** Offset after the newest record of the partition, when the batch was fetched. */
  highWatermark: number;
}

export interface Bounds {
  /** Offset of the oldest record that is still there. */
  start: number;
  /** Offset after the newest record. */
  end: number;
}

export type TimestampType = 'LogAppendTime' | 'CreateTime';

export interface TopicSpec {
  topic: string;
  partitions: number;
  timestampType: TimestampType;
  /** Largest record, where the log's own limit is too low. */
  recordBytesMax?: number;
}

export interface LogAdmin {
  /** Creates what is missing; a topic that exists with other partitions or timestamps is an error. */
  createTopics(topics: readonly TopicSpec[]): Promise<void>;
  /** Removes the topics with all their records; those that do not exist are no error. */
  deleteTopics(topics: readonly string[]): Promise<void>;
  /** Number of partitions by topic; a topic that does not exist is absent. */
  partitions(topics: readonly string[]): Promise<Map<string, number>>;
  bounds(topic: string, partition: number): Promise<Bounds>;
  /** Only the offset of the first record at or after the time; `end` where there is none. */
  offsetForTime(topic: string, partition: number, timestampMs: number): Promise<number>;
  /**
   * A sentence for each way in which a topic that exists is weaker than what `createTopics` makes;
   * none where a log has no such choice.
   */
  weaknesses(topics: readonly string[]): Promise<string[]>;
}

export interface LogWriter {
  /**
   * Appends the records to one partition, all or none, and resolves with the offset of the first
   * once they are durable. When it rejects, the records may or may not be in the log: the caller
   * sends the same bytes again before anything else goes to that partition.
   * Calls for one partition are made one at a time; calls for several may overlap.
   */
  append(topic: string, partition: number, records: readonly NewRecord[]): Promise<number>;
}

export interface LogReader {
  /** Up to about `maxBytes` of records from `offset` on, at least one where there is one. */
  read(topic: string, partition: number, offset: number, maxBytes: number): Promise<LogBatch>;
}

export interface ConsumerHandlers {
  /**
   * Called before the first batch of a newly assigned partition; resolves with the offset to
   * start from. When it rejects with a `retry` error it is called again after a pause; with any
   * other error that partition stops, and is asked about again every few seconds.
   */
  assigned(place: TopicPartition): Promise<number>;
  /**
   * One batch, at most one in flight for each partition; resolves with the offset to go on from.
   * When it rejects with a `retry` error the partition is paused and read again from where
   * `assigned` then says; with any other error the partition stops.
   */
  batch(batch: LogBatch): Promise<number>;
  /** The partitions belong to another member now; no batch of theirs follows. */
  revoked(partitions: readonly TopicPartition[]): void;
}

export interface LogConsumer {
  /** Resolves once the consumer takes part in its group; delivery goes on until `close`. */
  start(handlers: ConsumerHandlers): Promise<void>;
  /** Waits for the batches in flight, leaves the group. */
  close(): Promise<void>;
}

export interface Log extends LogAdmin, LogWriter, LogReader {
  /** A member of `group`; the partitions of `topics` are shared among the group's live members. */
  consumer(group: string, topics: readonly string[]): LogConsumer;
  close(): Promise<void>;
}
