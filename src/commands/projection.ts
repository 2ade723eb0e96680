import { withTransaction } from '../database/connect.js';
import { AiRouterError } from '../errors.js';
import { type Vector, vectorVersion } from '../hotkeys/port.js';
import { foldedTopics } from '../log/topics.js';
import { readVector } from '../project/hot-source.js';
import {
  putInForce,
  type StoredVersion,
  storedVersions,
  versionInForce,
} from '../project/versions.js';
import { endVersionsBelow } from '../replay/end-versions.js';
import { distance, endOfLog } from '../replay/vectors.js';
import { openParts, type Parts } from '../roles/parts.js';
import { wholeNumber } from './arguments.js';
import type { CommandContext } from './context.js';

/** A version as `projection list` shows it. */
interface VersionLine {
  version: number;
  schema: string;
  in_force: boolean;
  /** Records that are folded, of all topics. */
  records: number;
  /** Records of the log that are not. */
  lag_records: number;
}

/** `airouter projection list`, `use VERSION`, `finalize`: which version readers are pointed at. */
export async function run(
  context: CommandContext,
  options: Record<string, unknown>,
): Promise<void> {
  const [action = '', version] = options['args'] as string[];
  const act = ACTIONS.get(action);
  if (act === undefined) {
    throw usage(`the action must be ${[...ACTIONS.keys()].join(', ')}, got "${action}"`);
  }
  if ((action === 'use') !== (version !== undefined)) {
    throw usage(`${action} takes ${action === 'use' ? 'a VERSION' : 'no version'}`);
  }
  const parts = await openParts(context, 'any');
  try {
    const versions = await storedVersions(parts.pool, parts.schema);
    const inForce = versionInForce(versions);
    if (inForce === null) throw usage('there is none yet: start `airouter all` first');
    await act(context, parts, { versions, inForce, given: version });
  } finally {
    await parts.close();
  }
}

interface Asked {
  versions: readonly StoredVersion[];
  inForce: StoredVersion;
  given: string | undefined;
}

const ACTIONS: ReadonlyMap<
  string,
  (context: CommandContext, parts: Parts, asked: Asked) => Promise<void>
> = new Map([
  ['list', list],
  ['use', use],
  ['finalize', finalize],
]);

async function list(
  { json, answer, print }: CommandContext,
  { pool, log, topics }: Parts,
  { versions, inForce }: Asked,
): Promise<void> {
  const folded = foldedTopics(topics);
  const stands = await withTransaction(pool, 'repeatable read', async (client) => {
    const vectors: Vector[] = [];
    for (const { schema } of versions) vectors.push(await readVector(client, schema, folded));
    return vectors;
  });
  const end = await endOfLog(log, folded);
  const lines = versions.map(
    (each, i): VersionLine => ({
      version: each.version,
      schema: each.schema,
      in_force: each === inForce,
      records: vectorVersion(stands[i]!),
      lag_records: distance(stands[i]!, end),
    }),
  );
  if (json) return answer({ versions: lines });
  for (const { version, schema, in_force, records, lag_records } of lines) {
    const mark = in_force ? '\tin force' : '';
    print(`${version}\t${schema}\t${records} records\t${lag_records} behind${mark}`);
  }
}

async function use(
  { json, answer, print }: CommandContext,
  { pool }: Parts,
  { versions, given }: Asked,
): Promise<void> {
  const version = wholeNumber('VERSION', given);
  const chosen = versions.find((each) => each.version === version);
  if (chosen === undefined) {
    throw usage(`VERSION must be one of ${versions.map((each) => each.version).join(', ')}`);
  }
  const changed = await putInForce(pool, chosen.schema);
  if (json) return answer({ version, changed });
  print(
    changed
      ? `Version ${version} is in force; readers follow within seconds where its projectors run.`
      : `Version ${version} is in force already.`,
  );
}

async function finalize(
  { json, answer, print }: CommandContext,
  { pool }: Parts,
  { versions, inForce }: Asked,
): Promise<void> {
  const ended = await endVersionsBelow(pool, versions, inForce);
  if (json) return answer({ in_force: inForce.version, ended });
  print(
    ended.length === 0
      ? `No version is below ${inForce.version}, which is in force.`
      : `Version ${ended.join(', ')} is ended; version ${inForce.version} is in force.`,
  );
}

function usage(message: string): AiRouterError {
  return new AiRouterError('invalid_usage', `projection: ${message}`);
}
