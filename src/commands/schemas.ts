import { readFile } from 'node:fs/promises';
import { AiRouterError } from '../errors.js';
import { checkSchema } from '../event/schema-compatibility.js';
import { readShippedSchemas, SHIPPED_ID_MAX } from '../event/schemas.js';
import { openParts, type Parts } from '../roles/parts.js';
import { openSchemaTopic } from '../roles/schemas.js';
import { createMissingTopics } from '../roles/topics.js';
import { wholeNumber } from './arguments.js';
import type { CommandContext } from './context.js';

/** A schema as `schemas list` shows it. */
interface SchemaLine {
  id: number;
  subject: string;
  from: 'airouter' | 'log';
  /** Why its records are parked; null = they are read. */
  refused: string | null;
}

/** Others that register at the same moment: as many of them are let pass. */
const TRIES = 10;

/** `airouter schemas list`; `airouter schemas register FILE [--id N]`: schemas of other producers. */
export async function run(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  const [action, file] = options['args'] as string[];
  if (action !== 'list' && action !== 'register') {
    throw usage(`the action must be list or register, got "${action}"`);
  }
  if ((action === 'register') !== (file !== undefined)) {
    throw usage(`${action} takes ${action === 'register' ? 'a FILE' : 'no file'}`);
  }
  const text = file === undefined ? null : await readText(file);
  const parts = await openParts(context, 'any');
  try {
    await createMissingTopics(parts.log, parts.topics, parts.config, 'LogAppendTime');
    if (text === null) await list(context, parts);
    else await register(context, parts, text, options['id']);
  } finally {
    await parts.close();
  }
}

async function list(context: CommandContext, parts: Parts): Promise<void> {
  const lines = readShippedSchemas().map(
    ({ id, subject }): SchemaLine => ({ id, subject, from: 'airouter', refused: null }),
  );
  const { topic } = openSchemaTopic(parts, ({ id, subject }, refused) => {
    lines.push({ id, subject, from: 'log', refused });
  });
  await topic.readToEnd();
  if (context.json) {
    context.answer({ schemas: lines });
    return;
  }
  for (const { id, subject, from, refused } of lines) {
    context.print(
      [id, subject, from, refused === null ? 'read' : `refused: ${refused}`].join('\t'),
    );
  }
}

async function register(
  context: CommandContext,
  parts: Parts,
  text: string,
  givenId: unknown,
): Promise<void> {
  const ids = new Map<string, number>();
  const { schemas, topic } = openSchemaTopic(parts, ({ id, schema }) => ids.set(schema, id));
  await topic.readToEnd();
  const checked = checkSchema(text, schemas);
  if ('rule' in checked) throw refused(checked);
  const { subject } = checked;
  const id = givenId === undefined ? null : foreignId(givenId);
  if (id === null && parts.config.schemaRegistryUrl !== null && !ids.has(text)) {
    throw usage(
      'with SCHEMA_REGISTRY_URL that registry gives the ids: register it there, or name its --id',
    );
  }
  for (let tries = 0; tries < TRIES; tries += 1) {
    const known = ids.get(text);
    if (known !== undefined && (id === null || id === known)) {
      return answer(context, { id: known, subject, registered: false });
    }
    let own = 0;
    const isOurs = await topic.append((highest) => {
      own = id ?? Math.max(SHIPPED_ID_MAX, highest) + 1;
      return { id: own, subject, schema: text };
    });
    if (isOurs) return answer(context, { id: own, subject, registered: true });
    if (id !== null && ids.get(text) !== id) throw usage(`schema ${id} is registered otherwise`);
  }
  throw new AiRouterError('check_failed', 'Others register schemas all the time; try again');
}

function answer(
  context: CommandContext,
  result: { id: number; subject: string; registered: boolean },
): void {
  const { id, subject, registered } = result;
  if (context.json) context.answer(result);
  else context.print(`${subject} has id ${id}${registered ? '' : ', as before'}`);
}

function foreignId(given: unknown): number {
  const id = wholeNumber('--id', given);
  if (id > SHIPPED_ID_MAX && id < 2 ** 31) return id;
  const rule = `of ${SHIPPED_ID_MAX + 1}..${2 ** 31 - 1}`;
  throw new AiRouterError('invalid_usage', `--id must be ${rule}, got ${id}`, {
    field: '--id',
    rule,
  });
}

function refused({ field, rule }: { field: string; rule: string }): AiRouterError {
  const where = field === '' ? 'the schema' : field;
  return new AiRouterError('schema_refused', `${where} must be ${rule}`, { field, rule });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new AiRouterError('invalid_usage', `${file} cannot be read`, { cause: error });
  }
}

function usage(message: string): AiRouterError {
  return new AiRouterError('invalid_usage', `schemas: ${message}`);
}
