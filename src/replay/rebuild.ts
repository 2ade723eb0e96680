import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import { AiRouterError } from '../errors.js';
import { TABLE_NAMES } from '../fold/tables.js';
import type { Vector } from '../hotkeys/port.js';
import { createDeadLetters } from '../log/dead-letters.js';
import type { Log } from '../log/port.js';
import { foldedTopics, type Topics } from '../log/topics.js';
import { findUncommitted } from '../log/uncommitted-letters.js';
import type { PipelineParts } from '../pipeline.js';
import { isAtLeast, readVector } from '../project/hot-source.js';
import {
  migrateProjection,
  PROJECTION_VERSION,
  storedFoldSettings,
} from '../project/projection-version.js';
import { projectionChecksum } from './checksum.js';
import { type Comparison, compareProjections } from './compare.js';
import { LogFold, type LogFoldOptions } from './fold-log.js';
import { hasTable, isWhole, refuseUnsafeSwap } from './live.js';
import { dropSchema, makeShadow, type ShadowSettings } from './shadow.js';
import { swap } from './swap.js';
import { inTurn } from './turn.js';
import { distance, endOfLog, greatest } from './vectors.js';
import { nobodyJudged, storedVerdicts } from './verdicts.js';

export interface Rebuilt extends Omit<Comparison, 'checksum_live'> {
  records: number;
  events: number;
  seconds: number;
  /** Null where there was no live projection. */
  checksum_live: string | null;
  /** Whether every stored table is; null where there was nothing to compare with. */
  equal: boolean | null;
  /** Whether what was rebuilt is live now. */
  swapped: boolean;
}

export interface RebuildOptions {
  databaseUrl: string;
  /** Its sessions leave statements an hour, and need not wait for the disk. */
  pool: Pool;
  /** Schema of the live projection; it need not be there. */
  schema: string;
  log: Log;
  topics: Topics;
  schemas: PipelineParts['schemas'];
  lookUpSchemas: PipelineParts['lookUpSchemas'];
  /** Of a projection that is not there any more. */
  settings: ShadowSettings;
  /** Put what was rebuilt in the place of what is live. */
  swap: 'where equal' | 'always' | 'never';
  /** Told of each step, in a sentence. */
  onStep(line: string): void;
  /** Told of each batch. */
  onProgress(done: LogFold['done']): void;
}

/**
 * Makes the projection once more from the log alone, beside the live one, compares every stored
 * table at one moment, and puts it in its place. Until that last step nothing live is touched.
 */
export function rebuild(options: RebuildOptions): Promise<Rebuilt> {
  return inTurn(options.pool, options.schema, () => rebuildAlone(options));
}

async function rebuildAlone(options: RebuildOptions): Promise<Rebuilt> {
  const startedMs = performance.now();
  const { databaseUrl, pool, schema, log, topics } = options;
  if ((await log.partitions(foldedTopics(topics))).size === 0) {
    throw new AiRouterError(
      'invalid_usage',
      `There is no log to rebuild ${schema} from: name its --namespace, or the KAFKA_BROKERS that hold it`,
    );
  }
  // As any projector does when it starts; a schema that was emptied stays as it is.
  if (await hasTable(pool, schema, 'schema_migration'))
    await migrateProjection(databaseUrl, schema);
  const hasSettings = await hasTable(pool, schema, 'projection_setting');
  const stored = hasSettings ? await storedFoldSettings(pool, schema) : options.settings;
  const settings = Number.isNaN(stored.keysMax) ? options.settings : stored;
  const shadow = await makeShadow(databaseUrl, pool, schema, settings);
  if (options.swap !== 'never') await refuseUnsafeSwap(pool, schema, shadow);
  const isLive = await isWhole(pool, schema, shadow);
  options.onStep(
    isLive
      ? `Folding the log into ${shadow}.`
      : `Folding the log into ${shadow}; there is no whole ${schema} to compare it with.`,
  );
  const made = await (isLive ? besideLive : fromLogAlone)({ ...options, settings, shadow });
  const seconds = Math.round((performance.now() - startedMs) / 10) / 100;
  return { ...made, seconds };
}

interface Surroundings extends RebuildOptions {
  shadow: string;
}

type Made = Omit<Rebuilt, 'seconds'>;

/** Compares at one moment of the live projection, which goes on meanwhile and afterwards. */
async function besideLive(parts: Surroundings): Promise<Made> {
  const { pool, schema, shadow, topics } = parts;
  // What is parked is in the dead-letter topic already: the live projection has put it there.
  const fold = createFold(parts, { parkDeadLetters: async () => {} });
  await approachLive(parts, fold);
  const comparison = await withTransaction(pool, 'repeatable read', async (client) => {
    // Nobody may be told that we have been idle while the last records are folded.
    await client.query('set local idle_in_transaction_session_timeout = 0');
    await holdTables(client, schema);
    await foldToLive(parts, fold, client);
    parts.onStep(`Comparing every table, at one moment of ${schema}.`);
    return compareProjections({
      live: { client, schema },
      shadow: { pool, schema: shadow },
      topics,
    });
  });
  const equal = comparison.difference === null;
  const isSwapped = parts.swap === 'always' || (parts.swap === 'where equal' && equal);
  if (isSwapped) {
    parts.onStep(`Taking the place of ${schema}.`);
    await swap({
      pool,
      live: schema,
      shadow,
      approach: () => approachLive(parts, fold),
      arrive: (client) => foldToLive(parts, fold, client),
    });
  } else if (equal) await dropSchema(pool, shadow);
  return { ...fold.done, ...comparison, equal, swapped: isSwapped };
}

/** Nothing to compare with: the whole log, and the verdicts that the dead-letter topic holds. */
async function fromLogAlone(parts: Surroundings): Promise<Made> {
  const { pool, schema, shadow, log, topics } = parts;
  const fold = createFold(parts, {
    parkDeadLetters: createDeadLetters(log, topics.deadLetters, PROJECTION_VERSION, {
      known: parts.schemas,
    }),
    uncommittedLetters: findUncommitted(log, topics.deadLetters, PROJECTION_VERSION),
  });
  const foldToEnd = async (atLeast: Vector): Promise<void> => {
    const end = await endOfLog(log, foldedTopics(topics));
    await fold.foldTo(greatest(end, atLeast), nobodyJudged);
  };
  await foldToEnd({});
  const checksum_rebuilt = await projectionChecksum(pool, shadow, topics);
  const isSwapped = parts.swap !== 'never';
  if (isSwapped) {
    parts.onStep(`Taking the place of ${schema}.`);
    await swap({
      pool,
      live: schema,
      shadow,
      approach: () => foldToEnd({}),
      async arrive(client, isLive) {
        // Somebody may have begun to fold into what was emptied: offsets only move forward.
        const live = isLive ? await readVector(client, schema, foldedTopics(topics)) : {};
        await foldToEnd(live);
        await requireReached(parts, live, isAtLeast);
      },
    });
  } else await dropSchema(pool, shadow);
  const made = { checksum_live: null, checksum_rebuilt, difference: null, equal: null };
  return { ...fold.done, ...made, swapped: isSwapped };
}

function createFold(
  parts: Surroundings,
  letters: Pick<LogFoldOptions, 'parkDeadLetters' | 'uncommittedLetters'>,
): LogFold {
  return new LogFold({ ...parts, schema: parts.shadow, ...letters });
}

/** A round that takes no longer than this leaves little to the one behind it. */
const LAST_ROUND_MS = 2_000;
/** A log that grows faster than it is folded is never reached: then the last round is long. */
const ROUNDS_MAX = 20;

async function approachLive(parts: Surroundings, fold: LogFold): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const startedMs = performance.now();
    const live = await standOf(parts, parts.schema);
    await fold.foldTo(live, storedVerdicts(parts.pool, parts.schema));
    if (performance.now() - startedMs < LAST_ROUND_MS) return;
  }
}

/** To exactly where the live projection is in the client's transaction. */
async function foldToLive(parts: Surroundings, fold: LogFold, client: PoolClient): Promise<void> {
  const vector = await readVector(client, parts.schema, foldedTopics(parts.topics));
  await fold.foldTo(vector, storedVerdicts(parts.pool, parts.schema));
  await requireReached(
    parts,
    vector,
    (reached, live) => distance(reached, live) === 0 && isAtLeast(live, reached),
  );
}

function standOf({ pool, topics }: Surroundings, schema: string): Promise<Vector> {
  return withTransaction(pool, 'read committed', (client) =>
    readVector(client, schema, foldedTopics(topics)),
  );
}

async function requireReached(
  parts: Surroundings,
  live: Vector,
  holds: (reached: Vector, live: Vector) => boolean,
): Promise<void> {
  const { schema, shadow } = parts;
  const reached = await standOf(parts, shadow);
  if (holds(reached, live)) return;
  throw new AiRouterError(
    'log_recreated',
    `${schema} stands at ${JSON.stringify(live)}, the log leads to ${JSON.stringify(reached)}: topics were made anew, or lost records`,
  );
}

/** Before the transaction's snapshot: no range can be dropped between that and its reading. */
async function holdTables(client: PoolClient, schema: string): Promise<void> {
  const names = TABLE_NAMES.map((name) => `"${schema}".${name}`);
  await client.query(`lock table ${names.join(', ')} in access share mode`);
}
