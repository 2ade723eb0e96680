import type { TimestampType, TopicSpec } from './port.js';

/** Topic names of a namespace; the empty namespace has no prefix. */
export interface Topics {
  outcomes: string;
  decisions: string;
  inflight: string;
  summaries: string;
  catalogue: string;
  policies: string;
  schemas: string;
  deadLetters: string;
}

export function topicsOf(namespace: string): Topics {
  const prefix = namespace === '' ? '' : `${namespace}.`;
  return {
    outcomes: `${prefix}airouter.outcomes.v1`,
    decisions: `${prefix}airouter.decisions.v1`,
    inflight: `${prefix}airouter.inflight.v1`,
    summaries: `${prefix}airouter.summaries.v1`,
    catalogue: `${prefix}airouter.catalogue.v1`,
    policies: `${prefix}airouter.policies.v1`,
    schemas: `${prefix}airouter.schemas.v1`,
    deadLetters: `${prefix}airouter.outcomes.v1.dlq`,
  };
}

/** The short name of a topic of any namespace; null where it is not one of the product's. */
export function topicKind(topic: string): keyof Topics | null {
  const base = topic.slice(Math.max(0, topic.indexOf('airouter.')));
  const kinds = Object.entries(topicsOf('')) as [keyof Topics, string][];
  return kinds.find(([, name]) => name === base)?.[0] ?? null;
}

/** A topic by its short name (`outcomes`, `dlq`) or its full one. */
export function topicNamed(topics: Topics, name: string): string {
  if (name === 'dlq') return topics.deadLetters;
  return Object.hasOwn(topics, name) ? topics[name as keyof Topics] : name;
}

/** The topics that projections are folded from, in name order. */
export function foldedTopics(topics: Topics): string[] {
  return [
    topics.catalogue,
    topics.inflight,
    topics.outcomes,
    topics.policies,
    topics.summaries,
  ].sort();
}

/** Twice Kafka's own limit: a dead letter is its record with more headers. */
const DEAD_LETTER_BYTES_MAX = 2 * 1_048_588;

/** Every topic with its shape: catalogue, policies and schemas are ordered as a whole. */
export function topicSpecs(
  topics: Topics,
  partitions: number,
  timestampType: TimestampType,
): TopicSpec[] {
  const one = new Set([topics.catalogue, topics.policies, topics.schemas]);
  return Object.values(topics).map((topic: string) => ({
    topic,
    partitions: one.has(topic) ? 1 : partitions,
    timestampType,
    ...(topic === topics.deadLetters && { recordBytesMax: DEAD_LETTER_BYTES_MAX }),
  }));
}
