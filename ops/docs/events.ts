import { PROVIDER_ALIASES } from '../../src/event/provider.js';
import { RULES } from '../../src/event/rules.js';
import { readShippedSchemas, type ShippedSchema } from '../../src/event/schemas.js';
import { STATUS_BY_HTTP, STATUS_OTHERWISE } from '../../src/event/status.js';
import { topicsOf } from '../../src/log/topics.js';
import { markdownTable } from './markdown.js';

const TOPICS = topicsOf('');
const TOPIC_OF: Readonly<Record<string, string>> = {
  RequestOutcome: TOPICS.outcomes,
  OutcomeBatch: TOPICS.outcomes,
  Decision: TOPICS.decisions,
  Inflight: TOPICS.inflight,
  OutcomeSummary: TOPICS.summaries,
  Policy: TOPICS.policies,
  Schema: TOPICS.schemas,
};

interface AvroField {
  name: string;
  type: AvroType;
  default?: unknown;
  doc?: string;
}

type AvroType =
  | string
  | AvroType[]
  | {
      type: AvroType;
      name?: string;
      fields?: AvroField[];
      items?: AvroType;
      values?: AvroType;
      symbols?: string[];
      size?: number;
      logicalType?: string;
      doc?: string;
    };

/** docs/events.md: every record of the log, from the Avro schemas and the table of rules. */
export function renderEvents(): string {
  const newest = new Map(readShippedSchemas().map((schema) => [schema.subject, schema]));
  return `${INTRODUCTION}
${[...newest.values()].map(recordSection).join('\n')}
${statusSection()}
${providerSection()}`;
}

const INTRODUCTION = `# Events

Every record of the log is a fact in Avro, in Confluent's wire format: a zero byte, the schema's id
(32 bits, big-endian), the Avro body. The schemas are in [schemas/avro](../schemas/avro), their ids
in [schemas/ids.json](../schemas/ids.json); the subject of a schema is the full name of its record.
Ids 1 to 99 always mean the schemas that are shipped; those of others begin at 100. Schemas evolve
FULL_TRANSITIVE: every version reads what every other one wrote. A newer version's schemas get into
\`airouter.schemas.v1\` by its projectors, where older ones find them.

- A record whose bytes are not a value of its schema is parked whole: every length, count, index and
  number is checked against the bytes that are there before anything is decoded. Longs must be of
  -2^52..2^53-2, blocks of the size that they state, values at most 32 levels deep, map keys other
  than \`__proto__\`, and nothing may follow the value.
- A record that decodes but breaks a rule below is parked alone: of a batch, only that outcome.
- The fold does not read \`request_id\`, \`final\`, \`hedged\`, \`requested_model\` and \`decision\` of an
  outcome: their rules hold where outcomes are made.
- An \`OutcomeBatch\` needs the header \`crc32c\`: CRC-32C of the whole value, its first five bytes
  included, as 4 bytes, big-endian. A batch without it is parked.
- Null is unknown, which is never 0. Text is counted in UTF-16 units.
- Input tokens include cached ones and ones written to the cache, output tokens include reasoning.
  An outcome whose classes do not add up is not refused: what it says about speed and failure is
  still true. Who subtracts one class from another stops at 0.
- A schema of others is read by the full name of its record, with Avro's resolution. It is refused
  if it does not resolve, if a value that takes no bytes stands anywhere but in a union, if a field
  bears a name that every JavaScript object has (such as \`toString\`), or if it is over 256 KiB.
  A record by another name is skipped.
- An id that is not known is looked for in \`airouter.schemas.v1\`, up to the end that the topic
  has at that moment, and then, from 100 on and where \`SCHEMA_REGISTRY_URL\` is set, in that
  registry. What the
  registry answers is written to the topic before it is used, so that everybody reads a record the
  same way for ever, with or without the registry. While the registry does not answer, the partition
  waits; an id that it does not know (404) is parked as \`unknown_schema\`, and can be replayed once
  its schema is registered. Subjects do not matter: schemas are asked for by their ids. A schema
  that refers to others is not resolved.

The identity of an event is a UUID (RFC 9562): version 7 from AiRouter's own clients; version 8 for
an id of others: the first 16 bytes of SHA-256(utf8(source), 0x00, utf8(foreign id)), then version
and variant. Golden vectors: [schemas/event-id.json](../schemas/event-id.json).

The key text of an offering is \`model|provider|deployment|region\`; in each part \`%\`, \`|\`, \`{\`,
\`}\` and control characters are percent-encoded, and an empty part stays empty. Its partition is
murmur2 of its UTF-8 bytes, as Java clients place keys. Golden vectors:
[schemas/offering-key.json](../schemas/offering-key.json).
`;

function recordSection({ id, subject, version, file, text }: ShippedSchema): string {
  const schema = JSON.parse(text) as { doc: string; fields: AvroField[] };
  const name = subject.slice(subject.lastIndexOf('.') + 1);
  const rules = new Map((RULES[name] ?? []).map(({ field, rule }) => [field, rule]));
  const rows = rowsOf(name, schema.fields, '').map(({ path, field }) => [
    `\`${path}\``,
    typeText(field.type),
    field.default === undefined ? 'required' : `\`${JSON.stringify(field.default)}\``,
    field.doc ?? '',
    rules.get(path) ?? '–',
  ]);
  return `## ${name}

${schema.doc}

Topic \`${TOPIC_OF[name] ?? TOPICS.catalogue}\`, schema id ${id}, version ${version}, [${file}](../schemas/avro/${file}).

${markdownTable(['Field', 'Type', 'Default', 'Meaning', 'Must be'], rows)}
`;
}

/** The fields of a record and of the records within it, by path; those of an outcome once. */
function rowsOf(
  record: string,
  fields: AvroField[],
  prefix: string,
): { path: string; field: AvroField }[] {
  return fields.flatMap((field) => {
    const path = `${prefix}${field.name}`;
    const nested = nestedRecord(field.type, path);
    const isOutcome = record === 'OutcomeBatch';
    const inner = nested === null || isOutcome ? [] : rowsOf(record, nested.fields, nested.prefix);
    return [{ path, field }, ...inner];
  });
}

function nestedRecord(
  type: AvroType,
  path: string,
): { fields: AvroField[]; prefix: string } | null {
  if (typeof type === 'string') return null;
  if (Array.isArray(type)) {
    return type.map((branch) => nestedRecord(branch, path)).find((found) => found !== null) ?? null;
  }
  if (type.fields !== undefined) return { fields: type.fields, prefix: `${path}.` };
  return type.items === undefined ? null : nestedRecord(type.items, `${path}[]`);
}

function typeText(type: AvroType): string {
  if (typeof type === 'string') return type === 'Uuid' ? 'fixed(16)' : type;
  if (Array.isArray(type)) return type.map(typeText).join(' or ');
  switch (type.type) {
    case 'array':
      return `array of ${typeText(type.items ?? '')}`;
    case 'map':
      return `map of ${typeText(type.values ?? '')}`;
    case 'fixed':
      return `fixed(${type.size})`;
    case 'enum':
      return `enum: ${type.symbols?.join(', ')}`;
    case 'record':
      return `${type.name}`;
    default:
      return type.logicalType === undefined
        ? typeText(type.type)
        : `${typeText(type.type)} (${type.logicalType})`;
  }
}

function statusSection(): string {
  const rows = STATUS_BY_HTTP.map(({ from, to, status }) => [
    from === to ? String(from) : `${from}–${to}`,
    `\`${status}\``,
  ]);
  return `## Status from an HTTP status

Where an emitter names no status, it follows from the HTTP status of the provider's answer.

${markdownTable(['HTTP status', 'Status'], [...rows, ['any other, or none', `\`${STATUS_OTHERWISE}\``]])}
`;
}

function providerSection(): string {
  const names = [...new Set(PROVIDER_ALIASES.values())];
  const rows = names.map((name) => {
    const aliases = [...PROVIDER_ALIASES]
      .filter(([, it]) => it === name)
      .map(([it]) => `\`${it}\``);
    return [`\`${name}\``, aliases.join(', ')];
  });
  return `## Provider names

Providers are called as in OpenTelemetry's \`gen_ai.provider.name\`. These aliases are mapped; any
other name stays itself, trimmed and with A to Z in lower case. It happens wherever a record is
read, so producers that write to the log by themselves may use the names that they know.

${markdownTable(['Name', 'Aliases'], rows)}
`;
}
