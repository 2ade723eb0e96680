import { readFile } from 'node:fs/promises';
import { AiRouterError } from '../errors.js';
import { decode } from '../event/decode.js';
import { encodeRecord } from '../event/encode.js';
import type { Policy as PolicyRecord } from '../event/outcome.js';
import type { Log } from '../log/port.js';
import { openParts } from '../roles/parts.js';
import { createMissingTopics } from '../roles/topics.js';
import { canonicalJson } from '../route/canonical-json.js';
import { makePolicy, type Policy } from '../route/policy.js';
import type { CommandContext } from './context.js';

/** The topic of policies, where the last record of a name stands. */
interface PolicyTopic {
  log: Pick<Log, 'bounds' | 'read' | 'append'>;
  topic: string;
}

/** By name: a policy that is in force, or the rule of this version that it breaks. */
type Standing = ReadonlyMap<string, { hash: string; policy: Policy | null; broken: string | null }>;

const PARTITION = 0;
/** One read of the topic. */
const FETCH_BYTES = 1_048_576;
/** The log's own limit of a document. */
const DOCUMENT_CHARACTERS_MAX = 65_536;

/** `airouter policy apply FILE`, `list`, `show NAME`, `remove NAME`. */
export async function run(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  const [action = '', argument] = options['args'] as string[];
  const act = ACTIONS.get(action);
  if (act === undefined) {
    const known = [...ACTIONS.keys()].join(', ');
    throw new AiRouterError(
      'invalid_usage',
      `policy: the action must be one of ${known}, got "${action}"`,
    );
  }
  // A document is refused before anything is started for it.
  const step = await act(argument);
  const parts = await openParts(context, 'any');
  try {
    const { log, topics, config } = parts;
    await createMissingTopics(log, topics, config, 'LogAppendTime');
    const { answer, text } = await step({ log, topic: topics.policies });
    if (context.json) context.answer(answer);
    else context.print(text);
  } finally {
    await parts.close();
  }
}

type Step = (topic: PolicyTopic) => Promise<{ answer: unknown; text: string }>;

const ACTIONS: ReadonlyMap<string, (argument: string | undefined) => Promise<Step>> = new Map([
  ['apply', apply],
  ['list', list],
  ['show', show],
  ['remove', remove],
]);

async function apply(file: string | undefined): Promise<Step> {
  const policy = makePolicy(await readDocument(file));
  const document = canonicalJson(policy.document);
  if (document.length > DOCUMENT_CHARACTERS_MAX) {
    throw broken('policy', `at most ${DOCUMENT_CHARACTERS_MAX} characters of JSON`);
  }
  return async (topic) => {
    const standing = await readStanding(topic);
    refuseSecondDefault(policy, standing);
    const { name, hash } = policy;
    const isApplied = standing.get(name)?.hash !== hash;
    if (isApplied) await append(topic, { name, document, hash });
    const text = isApplied ? `${name} is ${hash}` : `${name} is ${hash} already`;
    return { answer: { name, hash, applied: isApplied }, text };
  };
}

async function list(): Promise<Step> {
  return async (topic) => {
    const policies = [...(await readStanding(topic))].map(([name, { hash, policy, broken }]) => ({
      name,
      hash,
      description: policy?.document.description ?? '',
      default_for: policy?.document.default_for ?? [],
      broken,
    }));
    const lines = policies.map(({ name, hash, default_for: tenants, broken }) => {
      const defaults = tenants.length === 0 ? '' : `  default of ${tenants.join(', ')}`;
      return `${name}  ${hash}${defaults}${broken === null ? '' : `  not readable: ${broken}`}`;
    });
    return { answer: { policies }, text: lines.join('\n') || 'no policies' };
  };
}

async function show(name: string | undefined): Promise<Step> {
  requireName('show', name);
  return async (topic) => {
    const { hash, policy, broken } = standingOf(await readStanding(topic), name);
    const document = policy?.document ?? null;
    const text = broken ?? JSON.stringify(document, null, 2);
    return { answer: { name, hash, document, broken }, text };
  };
}

async function remove(name: string | undefined): Promise<Step> {
  requireName('remove', name);
  return async (topic) => {
    standingOf(await readStanding(topic), name);
    await append(topic, { name, document: '', hash: '' });
    return { answer: { name, removed: true }, text: `${name} is removed` };
  };
}

function requireName(action: string, name: string | undefined): asserts name is string {
  if (name === undefined) throw new AiRouterError('invalid_usage', `policy ${action} needs a name`);
}

async function readDocument(file: string | undefined): Promise<unknown> {
  if (file === undefined) throw new AiRouterError('invalid_usage', 'policy apply needs a file');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new AiRouterError('invalid_usage', `${file} cannot be read`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw broken('policy', 'JSON', error);
  }
}

/** Which policy a tenant gets would be a matter of their names. */
function refuseSecondDefault({ name, document }: Policy, standing: Standing): void {
  for (const [other, { policy }] of standing) {
    if (other === name) continue;
    const claimed = policy?.document.default_for ?? [];
    const twice = document.default_for?.find((tenant) => claimed.includes(tenant));
    if (twice === undefined) continue;
    throw broken('default_for', `without ${twice}, whose default is the policy ${other}`);
  }
}

function standingOf(standing: Standing, name: string) {
  const found = standing.get(name);
  if (found !== undefined) return found;
  throw new AiRouterError('invalid_usage', `there is no policy named "${name}"`);
}

async function readStanding({ log, topic }: PolicyTopic): Promise<Standing> {
  const records = new Map<string, PolicyRecord>();
  const { start, end } = await log.bounds(topic, PARTITION);
  let offset = start;
  while (offset < end) {
    const page = await log.read(topic, PARTITION, offset, FETCH_BYTES);
    const last = page.records.at(-1);
    if (last === undefined) break;
    for (const { value, headers } of page.records) {
      const record = decode(value, headers);
      if (!('failed' in record) && record.type === 'Policy') {
        records.set(record.value.name, record.value);
      }
    }
    offset = last.offset + 1;
  }
  const standing = [...records.values()].filter(({ document }) => document !== '');
  return new Map(
    standing.sort((a, b) => (a.name < b.name ? -1 : 1)).map((it) => [it.name, parsed(it)]),
  );
}

function parsed({ document, hash }: PolicyRecord) {
  try {
    return { hash, policy: makePolicy(JSON.parse(document)), broken: null };
  } catch (error) {
    return { hash, policy: null, broken: error instanceof Error ? error.message : String(error) };
  }
}

async function append({ log, topic }: PolicyTopic, record: PolicyRecord): Promise<void> {
  const value = encodeRecord('Policy', record);
  await log.append(topic, PARTITION, [{ key: Buffer.from(record.name), value }]);
}

function broken(field: string, rule: string, cause?: unknown): AiRouterError {
  const message = `${field} must be ${rule}`;
  return new AiRouterError('rule_broken', message, {
    field,
    rule,
    ...(cause === undefined ? {} : { cause }),
  });
}
