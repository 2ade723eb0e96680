import { recordNameOf, type Schemas, SHIPPED_ID_MAX } from '../event/schemas.js';
import type { SchemaRegistry } from './schema-registry.js';
import type { SchemaTopic } from './schema-topic.js';

/**
 * Looks up schema ids of others, and of newer versions, before records are decoded by them: in the
 * log's topic, up to its end, then in the registry, which knows those of others alone. What the
 * registry answers is appended to the topic and read back before it is used: so a record is read by
 * one schema for ever, whoever reads it, also when the registry is gone. An id that neither has
 * stays unknown, and its records are parked.
 *
 * It rejects with a `retry` error while it cannot be told: the records wait.
 */
export function createSchemaLookUp(
  schemas: Schemas,
  topic: SchemaTopic,
  registry: SchemaRegistry | null,
): (ids: readonly number[]) => Promise<void> {
  return async (ids) => {
    await topic.readToEnd();
    if (registry === null) return;
    for (const id of ids) {
      if (id <= SHIPPED_ID_MAX || !schemas.isForeign(id)) continue;
      const schema = await registry.schema(id);
      if (schema === null) continue;
      // Too large for the topic: refused, and its records say so.
      if (schemas.isTooLarge(schema)) schemas.register(id, schema);
      else await topic.append(() => ({ id, subject: recordNameOf(schema).slice(0, 256), schema }));
    }
  };
}
