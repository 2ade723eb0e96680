import { Ajv2020 } from 'ajv/dist/2020.js';

type Json = Record<string, unknown>;

export interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  security?: Json[];
  parameters?: { name: string; in: string; required?: boolean; schema: Json }[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, { description: string; content?: Record<string, Media> }>;
}

interface Media {
  schema: Json;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

export interface OpenApi {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: Json };
  security: Json[];
}

/** Operations of a document as `METHOD /path`. */
export function operationsOf({ paths }: OpenApi): Map<string, Operation> {
  return new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, it]) => [`${method.toUpperCase()} ${path}`, it]),
    ),
  );
}

export function examplesOf({ example, examples }: Media): unknown[] {
  return example !== undefined ? [example] : Object.values(examples ?? {}).map((it) => it.value);
}

const ajv = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allErrors: true,
  validateFormats: false,
});
ajv.addVocabulary(['example']);

/** What is wrong with a value; nothing but what the schema names may be there. */
export function faultsOf(schema: Json, value: unknown): string[] {
  const validate = ajv.compile(closed(schema) as Json);
  if (validate(value)) return [];
  return validate.errors!.map(({ instancePath, message, params }) =>
    [instancePath, message, JSON.stringify(params)].join(' '),
  );
}

export interface Answer {
  statusCode: number;
  headers: Record<string, unknown>;
  body: string;
}

/** How an answer breaks what the document says of its operation. */
export function faultsOfAnswer(operation: Operation, answer: Answer): string[] {
  const documented = operation.responses[String(answer.statusCode)];
  if (documented === undefined) return [`status ${answer.statusCode} is not documented`];
  const type = String(answer.headers['content-type'] ?? '').split(';')[0]!;
  if (documented.content === undefined) return answer.body === '' ? [] : ['a body'];
  const media = documented.content[type];
  if (media === undefined) return [`${type} is not documented for ${answer.statusCode}`];
  if (!type.endsWith('json')) return [];
  return faultsOf(media.schema, JSON.parse(answer.body));
}

/** The schema with every object that names its properties closed. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const members = Object.entries(schema).map(([name, it]) => [name, closed(it)]);
  const isObject = 'properties' in schema && !('additionalProperties' in schema);
  return { ...Object.fromEntries(members), ...(isObject && { additionalProperties: false }) };
}
