import avro, { type Type, type types } from 'avsc';
import type { BrokenRule } from './rules.js';
import type { Schemas } from './schemas.js';
import { compileWalk } from './walk-program.js';

/** Full name of the record that a schema describes, or what is wrong with the schema. */
export type CheckedSchema = { subject: string } | BrokenRule;

/**
 * Whether a schema may stand beside the known ones, FULL_TRANSITIVE: every known version of its
 * record, shipped or registered, reads what it writes, and it reads what they write. Besides, it
 * must be one that can be walked within bounds.
 */
export function checkSchema(text: string, known: Schemas): CheckedSchema {
  const parsed = parse(text);
  if ('rule' in parsed) return parsed;
  const subject = parsed.type.name ?? '';
  const names = known.recordNames();
  const record = names.get(subject);
  if (record === undefined) {
    return { field: 'name', rule: `one of ${[...names.keys()].join(', ')}` };
  }
  const compiled = compileWalk(parsed.type);
  if ('refused' in compiled) return { field: '', rule: `without ${compiled.refused}` };
  for (const { id, type } of known.versionsOf(record)) {
    const broken = cannotRead(type, parsed.type) ?? cannotRead(parsed.type, type);
    if (broken !== null) return { ...broken, rule: `${broken.rule} (compared with schema ${id})` };
  }
  if (known.isTooLarge(text)) return { field: '', rule: 'of at most 256 KiB' };
  return { subject };
}

function parse(text: string): { type: Type } | BrokenRule {
  try {
    return { type: avro.Type.forSchema(JSON.parse(text)) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { field: '', rule: `an Avro schema in JSON: ${reason}` };
  }
}

/** The first field at which a reader does not resolve a writer, and why; null where it does. */
function cannotRead(reader: Type, writer: Type): BrokenRule | null {
  try {
    reader.createResolver(writer, { ignoreNamespaces: true });
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return brokenField(reader, writer) ?? { field: '', rule: `readable: ${reason}` };
  }
}

function brokenField(reader: Type, writer: Type): BrokenRule | null {
  if (isArray(reader) && isArray(writer)) {
    const broken = cannotRead(reader.itemsType, writer.itemsType);
    return broken && { ...broken, field: joined('[]', broken.field) };
  }
  if (!isRecord(reader) || !isRecord(writer)) return null;
  const written = new Map(writer.fields.map((field) => [field.name, field.type]));
  for (const field of reader.fields) {
    const names = [field.name, ...field.aliases];
    const type = names.map((name) => written.get(name)).find((found) => found !== undefined);
    if (type === undefined) {
      if (field.defaultValue() !== undefined) continue;
      return { field: field.name, rule: 'in every version, or have a default' };
    }
    const broken = cannotRead(field.type, type);
    if (broken !== null) return { ...broken, field: joined(field.name, broken.field) };
  }
  return null;
}

function joined(head: string, tail: string): string {
  return tail === '' || tail.startsWith('[') ? head + tail : `${head}.${tail}`;
}

function isRecord(type: Type): type is types.RecordType {
  return type.typeName === 'record';
}

function isArray(type: Type): type is types.ArrayType {
  return type.typeName === 'array';
}
