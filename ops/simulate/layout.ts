import type { TopicPartition } from '../../src/log/port.js';
import { topicsOf } from '../../src/log/topics.js';

/** The topics and limits of the simulated system: small, so that short runs reach every limit. */
export const TOPICS = topicsOf('');
export const OUTCOME_PARTITIONS = 2;

export const FOLDED: readonly TopicPartition[] = [
  { topic: TOPICS.outcomes, partition: 0 },
  { topic: TOPICS.outcomes, partition: 1 },
  { topic: TOPICS.inflight, partition: 0 },
  { topic: TOPICS.summaries, partition: 0 },
  { topic: TOPICS.catalogue, partition: 0 },
];

export const SETTINGS = { tickRetentionMs: 7_200_000, minuteRetentionMs: 30 * 86_400_000 };
export const KEYS_MAX = 4;
/** Events that the second duplicate rule looks back on. */
export const RECENT_IDS = 16;
/** Publishers whose highs stay in memory. */
export const HIGHS_KEPT = 1;
export const PROJECTION_VERSION = 1;
export const GENERATION = '1.simulated.1';

/** 2026-01-01T00:00:00Z */
export const START_MS = 1_767_225_600_000;

export const placeName = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
