import type { Config } from '../config.js';
import { newerShippedSchemas, Schemas, type ShippedSchema } from '../event/schemas.js';
import type { Log } from '../log/port.js';
import { createSchemaLookUp } from '../log/schema-look-up.js';
import { createSchemaRegistry } from '../log/schema-registry.js';
import { SchemaTopic, type SchemaTopicOptions } from '../log/schema-topic.js';
import type { Topics } from '../log/topics.js';

interface SchemaParts {
  log: Log;
  topics: Topics;
}

interface FoldedSchemas {
  schemas: Schemas;
  lookUpSchemas(ids: readonly number[]): Promise<void>;
  /** With what others have looked up meanwhile. */
  readSchemas(): Promise<Schemas>;
}

/** For who folds: the schemas that the log holds by now, and how to ask for more of them. */
export async function foldedSchemas(
  parts: SchemaParts,
  { schemaRegistryUrl }: Pick<Config, 'schemaRegistryUrl'>,
): Promise<FoldedSchemas> {
  const { schemas, topic } = openSchemaTopic(parts);
  await topic.readToEnd();
  const registry = schemaRegistryUrl === null ? null : createSchemaRegistry(schemaRegistryUrl);
  return {
    schemas,
    lookUpSchemas: createSchemaLookUp(schemas, topic, registry),
    async readSchemas() {
      await topic.readToEnd();
      return schemas;
    },
  };
}

/**
 * Puts the schemas that an older version lacks into the log, for its projectors that run beside this
 * one: what is emitted by them is read there too. Emitters of a version start behind its projectors.
 */
export async function announceSchemas(
  parts: SchemaParts,
  newer: readonly ShippedSchema[] = newerShippedSchemas(),
): Promise<void> {
  if (newer.length === 0) return;
  const { topic } = openSchemaTopic(parts);
  for (const { id, subject, text } of newer) {
    await topic.append(() => ({ id, subject, schema: text }));
  }
}

/** For who reads what was folded: every schema that it was read by is in the log. */
export async function storedSchemas(parts: SchemaParts): Promise<Schemas> {
  const { schemas, topic } = openSchemaTopic(parts);
  // A log that only outcomes were ever written to may not have the topic.
  const partitions = await parts.log.partitions([parts.topics.schemas]);
  if (partitions.has(parts.topics.schemas)) await topic.readToEnd();
  return schemas;
}

export function openSchemaTopic(
  { log, topics }: SchemaParts,
  onSchema?: SchemaTopicOptions['onSchema'],
): { schemas: Schemas; topic: SchemaTopic } {
  const schemas = new Schemas();
  const topic = new SchemaTopic({
    log,
    topic: topics.schemas,
    schemas,
    ...(onSchema === undefined ? {} : { onSchema }),
  });
  return { schemas, topic };
}
