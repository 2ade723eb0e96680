import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import avro, { type Type } from 'avsc';
import { packageRoot } from '../package-root.js';
import type { DecodedRecord } from './outcome.js';
import { Walk } from './walk.js';
import { compileWalk, type Unwalkable } from './walk-program.js';

/**
 * Ids that always mean the shipped schemas, of this version or a newer one; those of others start
 * above.
 */
export const SHIPPED_ID_MAX = 99;
/** Largest id of the wire format. */
const ID_MAX = 2 ** 31 - 1;
/** Every version of the product ships these. */
const FIRST_IDS_MAX = 12;
/** Bounds on what others can register: each costs memory for as long as the process lives. */
const FOREIGN_SCHEMAS_MAX = 1_000;
/** Of one schema of others: the largest of ours has a fiftieth of it. */
const FOREIGN_SCHEMA_BYTES_MAX = 262_144;

/** What the fold does not read of an outcome; skipping it saves a third of the decoding. */
const UNFOLDED_FIELDS = new Set(['request_id', 'final', 'hedged', 'requested_model', 'decision']);

export type RecordName = Exclude<DecodedRecord['type'], 'unknown'>;

/** One row of schemas/ids.json. */
export interface ShippedSchema {
  id: number;
  subject: string;
  version: number;
  file: string;
  /** Text of the schema. */
  text: string;
}

type Resolver = ReturnType<Type['createResolver']>;

/** How the bytes of one schema id are read. */
export interface Writer {
  record: RecordName;
  /** What the bytes were written by. */
  type: Type;
  walk: Walk;
  reader: Type;
  resolver: Resolver;
}

/** The shipped schemas, in the order of their ids. */
export function readShippedSchemas(): ShippedSchema[] {
  const folder = join(packageRoot, 'schemas');
  const rows = JSON.parse(readFileSync(join(folder, 'ids.json'), 'utf8')) as ShippedSchema[];
  return rows.map((row) => ({
    ...row,
    text: readFileSync(join(folder, 'avro', row.file), 'utf8'),
  }));
}

/** Those that an older version may lack. */
export const newerShippedSchemas = (): ShippedSchema[] =>
  readShippedSchemas().filter(({ id }) => id > FIRST_IDS_MAX);

/**
 * Every schema id that this process can read: the shipped ones from the start, those of others and
 * of newer versions as they are registered. Decoding never waits: who reads the log asks for unknown
 * ids first (`unknownIds`), looks them up, and registers what was found.
 */
export class Schemas {
  readonly #writers = new Map<number, Writer | 'unknown'>();
  /** The newest shipped schema of each record: what is written. */
  readonly #written = new Map<RecordName, { id: number; type: Type }>();
  readonly #readers = new Map<RecordName, Type>();
  readonly #shipped: ReadonlySet<number>;
  /** What was registered, by hash of its text: an id never changes its meaning. */
  readonly #foreign = new Map<number, { textHash: string; refused: string | null }>();

  constructor(shipped: readonly ShippedSchema[] = readShippedSchemas()) {
    this.#shipped = new Set(shipped.map(({ id }) => id));
    for (const { id, subject, text } of shipped) {
      const name = subject.slice(subject.lastIndexOf('.') + 1) as RecordName;
      this.#written.set(name, { id, type: avro.Type.forSchema(JSON.parse(text)) });
      this.#readers.set(name, readerType(name, text));
    }
    for (const { id, text } of shipped) {
      const writer = this.#writerOf(JSON.parse(text));
      if (isRefused(writer)) throw new Error(writer.refused);
      this.#writers.set(id, writer);
    }
  }

  /** How to read an id: `unknown` = a record that nothing here reads; undefined = no such schema. */
  writer(id: number): Writer | 'unknown' | undefined {
    return this.#writers.get(id);
  }

  /** Id and type of the newest schema of a record. */
  written(name: RecordName): { id: number; type: Type } {
    return this.#written.get(name)!;
  }

  /** Why a registered schema is not used; null where nothing was refused under that id. */
  refusal(id: number): string | null {
    return this.#foreign.get(id)?.refused ?? null;
  }

  /** True for an id of this version's own. */
  isShipped(id: number): boolean {
    return this.#shipped.has(id);
  }

  /** True for an id that others, or a newer version, may have registered meanwhile. */
  isForeign(id: number): boolean {
    return id > 0 && !this.isShipped(id) && !this.#foreign.has(id);
  }

  /** Whether a schema is refused for its size alone. */
  isTooLarge(schemaText: string): boolean {
    return Buffer.byteLength(schemaText) > FOREIGN_SCHEMA_BYTES_MAX;
  }

  /**
   * Makes somebody else's schema readable, by the full name of its record. Answers null, or why it
   * is refused; a refusal is remembered, so that its records are parked with the reason.
   */
  register(id: number, schemaText: string): string | null {
    if (!Number.isInteger(id) || id < 1 || id > ID_MAX || this.isShipped(id)) {
      return `schema ids are 1..${ID_MAX}, and ${id} is not to be given again`;
    }
    const textHash = createHash('sha256').update(schemaText).digest('hex');
    const known = this.#foreign.get(id);
    if (known !== undefined) {
      return known.textHash === textHash ? known.refused : `schema ${id} is registered otherwise`;
    }
    if (this.#foreign.size >= FOREIGN_SCHEMAS_MAX) return 'too many schemas are registered';
    const writer = this.#foreignWriter(schemaText);
    const refused = isRefused(writer) ? writer.refused : null;
    if (!isRefused(writer)) this.#writers.set(id, writer);
    this.#foreign.set(id, { textHash, refused });
    return refused;
  }

  #foreignWriter(schemaText: string): Writer | 'unknown' | Unwalkable {
    if (this.isTooLarge(schemaText)) {
      return { refused: `the schema is over ${FOREIGN_SCHEMA_BYTES_MAX} bytes` };
    }
    try {
      return this.#writerOf(JSON.parse(schemaText));
    } catch (error) {
      return { refused: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Throws where the schema is not one, or does not resolve to what is read here. */
  #writerOf(schema: avro.Schema): Writer | 'unknown' | Unwalkable {
    const type = avro.Type.forSchema(schema);
    const record = this.#recordNamed(type.name);
    if (record === null) return 'unknown';
    const program = compileWalk(type);
    if ('refused' in program) return program;
    const reader = this.#readers.get(record)!;
    const resolver = reader.createResolver(type, { ignoreNamespaces: true });
    return { record, type, walk: new Walk(program), reader, resolver };
  }

  /** Every version of a record that can be read here, the shipped ones first, by id. */
  versionsOf(record: RecordName): { id: number; type: Type }[] {
    return [...this.#writers].flatMap(([id, writer]) =>
      writer !== 'unknown' && writer.record === record ? [{ id, type: writer.type }] : [],
    );
  }

  /** What can be read, by the full names of the records. */
  recordNames(): ReadonlyMap<string, RecordName> {
    return new Map([...this.#written].map(([name, { type }]) => [type.name!, name]));
  }

  #recordNamed(fullName: string | undefined): RecordName | null {
    for (const [name, { type }] of this.#written) if (type.name === fullName) return name;
    return null;
  }
}

function isRefused(writer: Writer | 'unknown' | Unwalkable): writer is Unwalkable {
  return writer !== 'unknown' && 'refused' in writer;
}

/** The shape that is read: of outcomes only what is folded, of the rest everything. */
function readerType(name: RecordName, text: string): Type {
  const schema = JSON.parse(text);
  if (name === 'RequestOutcome') keepFolded(schema);
  if (name === 'OutcomeBatch') {
    for (const field of schema.fields) if (field.name === 'outcomes') keepFolded(field.type.items);
  }
  return avro.Type.forSchema(schema, { omitRecordMethods: true });
}

function keepFolded(outcome: { fields: { name: string }[] }): void {
  outcome.fields = outcome.fields.filter((field) => !UNFOLDED_FIELDS.has(field.name));
}

/** Full name of the record that a schema describes; empty where the text is none. */
export function recordNameOf(schemaText: string): string {
  try {
    return avro.Type.forSchema(JSON.parse(schemaText)).name ?? '';
  } catch {
    return '';
  }
}

/** The schemas of this process. */
export const schemas = new Schemas();
