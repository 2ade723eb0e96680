import type { TopicPartition } from './port.js';

/** What a consumer tells of its trouble, for the program's log and metrics. */
export type PartitionReport =
  /** The partition is not delivered any more: a person must act. */
  | { kind: 'stopped'; partition: TopicPartition; error: unknown }
  /** What had stopped it is gone. */
  | { kind: 'resumed'; partition: TopicPartition }
  /** It is tried again; null = the group or the poll, not one partition. */
  | { kind: 'retrying'; partition: TopicPartition | null; error: unknown; delayMs: number };
