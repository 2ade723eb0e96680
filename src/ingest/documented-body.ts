import { RULES } from '../event/rules.js';
import { readShippedSchemas } from '../event/schemas.js';
import { DECISION_REQUIRED } from './decision-item.js';
import { INFLIGHT_REQUIRED } from './inflight-item.js';
import { OUTCOME_REQUIRED } from './outcome-item.js';
import { SUMMARY_REQUIRED } from './summary-item.js';

/** As far as the shipped schemas go. */
type AvroType =
  | string
  | AvroType[]
  | {
      type: string;
      name?: string;
      fields?: AvroField[];
      items?: AvroType;
      values?: AvroType;
      symbols?: string[];
    };

interface AvroField {
  name: string;
  type: AvroType;
  default?: unknown;
  doc?: string;
}

interface Documented {
  /** Record whose fields the items of the list have. */
  record: string;
  required: readonly string[];
  /** Fields beside the record's own. */
  also?: Record<string, object>;
}

const FOREIGN_ID = {
  source: { type: 'string', description: 'Who named the event `id`, instead of an id of ours.' },
  id: { type: 'string', description: 'The id that `source` gave it.' },
};

/** What is written where: the lists of each body, and whose fields their items have. */
export const BODIES = {
  outcomes: {
    about: { operationId: 'writeOutcomes', summary: 'How attempts ended' },
    documented: {
      outcomes: { record: 'RequestOutcome', required: OUTCOME_REQUIRED, also: FOREIGN_ID },
      summaries: { record: 'OutcomeSummary', required: SUMMARY_REQUIRED, also: FOREIGN_ID },
    },
  },
  inflight: {
    about: { operationId: 'writeInflight', summary: 'Gauges of attempts that have not ended' },
    documented: { inflight: { record: 'Inflight', required: INFLIGHT_REQUIRED } },
  },
  decisions: {
    about: { operationId: 'writeDecisions', summary: 'What routers decided' },
    documented: { decisions: { record: 'Decision', required: DECISION_REQUIRED } },
  },
} as const;

/**
 * Schema of a body for the document: its items are those of the events' own schemas. Another item
 * does not make the body wrong: it is named in the answer, and the others are taken.
 */
export function documentedBody(lists: Readonly<Record<string, Documented>>): object {
  const records = readRecords();
  const properties = Object.entries(lists).map(([name, { record, required, also }]) => {
    const own = objectOf(records.get(record)!, record);
    const item = { ...own, required, properties: { ...own.properties, ...also } };
    return [name, { type: 'array', maxItems: 1000, items: { anyOf: [item, {}] } }];
  });
  return {
    type: 'object',
    additionalProperties: false,
    description: '1..1,000 items in all, each judged on its own: `errors` names those not taken.',
    properties: Object.fromEntries(properties),
  };
}

/** Fields of the newest schema of each record. */
function readRecords(): Map<string, AvroField[]> {
  return new Map(
    readShippedSchemas().map(({ text }) => {
      const { name, fields } = JSON.parse(text) as { name: string; fields: AvroField[] };
      return [name, fields];
    }),
  );
}

function objectOf(fields: readonly AvroField[], record?: string) {
  const rules = new Map((RULES[record ?? ''] ?? []).map(({ field, rule }) => [field, rule]));
  const properties = fields.map(({ name, type, doc, default: byDefault }) => {
    const rule = rules.get(name);
    const description = [doc, rule === undefined ? undefined : `Must be ${rule}.`]
      .filter((part) => part !== undefined)
      .join(' ');
    return [
      name,
      {
        ...schemaOf(type),
        ...(description !== '' && { description }),
        ...(byDefault !== undefined && { default: byDefault }),
      },
    ];
  });
  return {
    type: 'object',
    additionalProperties: false,
    required: fields.filter((field) => field.default === undefined).map(({ name }) => name),
    properties: Object.fromEntries(properties) as Record<string, object>,
  };
}

function schemaOf(type: AvroType): Record<string, unknown> {
  if (Array.isArray(type)) {
    const others = type.filter((branch) => branch !== 'null').map(schemaOf);
    return { anyOf: [...others, { type: 'null' }] };
  }
  if (typeof type === 'string') return primitiveOf(type);
  switch (type.type) {
    case 'record':
      return objectOf(type.fields!);
    case 'array':
      return { type: 'array', items: schemaOf(type.items!) };
    case 'map':
      return { type: 'object', additionalProperties: schemaOf(type.values!) };
    case 'enum':
      return { type: 'string', enum: type.symbols };
    case 'fixed':
      return { type: 'string', format: 'uuid' };
    default:
      return primitiveOf(type.type);
  }
}

function primitiveOf(name: string): Record<string, unknown> {
  switch (name) {
    case 'int':
      return { type: 'integer', minimum: 0, maximum: 2 ** 31 - 1 };
    case 'long':
      return { type: 'integer', minimum: 0, maximum: 2 ** 53 - 2 };
    case 'double':
      return { type: 'number' };
    case 'boolean':
      return { type: 'boolean' };
    case 'string':
      return { type: 'string' };
    case 'Uuid':
      return { type: 'string', format: 'uuid' };
    default:
      throw new Error(`a schema holds the Avro type ${name}, which the document does not know`);
  }
}
