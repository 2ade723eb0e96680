import type { Pool, PoolClient } from 'pg';
import { withTransaction } from '../database/connect.js';
import { AiRouterError } from '../errors.js';
import type { Vector } from '../hotkeys/port.js';
import { isAtLeast, readVector } from './hot-source.js';

/** A projection version that has its tables in the database. */
export interface StoredVersion {
  version: number;
  schema: string;
  /** The how many-th change put it in force; null = none yet. */
  turn: number | null;
}

type Queryable = Pick<Pool | PoolClient, 'query'>;

/** Name in `projection_setting`. */
export const TURN_SETTING = 'in_force';

/** Schema names are `…airouter_v<version>`; others have no versions beside them. */
function partsOf(schema: string): { stem: string; version: number } | null {
  const found = /^(.*airouter_v)(\d+)$/.exec(schema);
  return found === null ? null : { stem: found[1]!, version: Number(found[2]) };
}

/** The versions of the namespace that a schema belongs to, the lowest first. */
export async function storedVersions(client: Queryable, schema: string): Promise<StoredVersion[]> {
  const own = partsOf(schema);
  if (own === null) return [];
  const { rows } = await client.query<{ schema: string }>(
    `select nspname as schema from pg_namespace
     where starts_with(nspname, $1) and to_regclass(format('%I.projection_setting', nspname)) is not null`,
    [own.stem],
  );
  const schemas = rows.map((row) => row.schema).filter((it) => partsOf(it)?.stem === own.stem);
  // A version that stands alone is in force: nobody is asked.
  const turns = schemas.length > 1 ? await readTurns(client, schemas) : new Map();
  return schemas
    .map((it) => ({ version: partsOf(it)!.version, schema: it, turn: turns.get(it) ?? null }))
    .sort((a, b) => a.version - b.version);
}

async function readTurns(client: Queryable, schemas: readonly string[]) {
  const { rows } = await client.query<{ schema: string; turn: number }>(
    schemas
      .map(
        (schema) => `select '${schema}' as schema, value::int4 as turn
        from "${schema}".projection_setting where name = '${TURN_SETTING}'`,
      )
      .join(' union all '),
  );
  return new Map(rows.map(({ schema, turn }) => [schema, turn]));
}

/**
 * The version that readers are pointed at: the one that was put in force last, or the lowest where
 * none ever was. Null where there is none.
 */
export function versionInForce(versions: readonly StoredVersion[]): StoredVersion | null {
  return versions.reduce<StoredVersion | null>(
    (best, each) => (best === null || (each.turn ?? 0) > (best.turn ?? 0) ? each : best),
    null,
  );
}

/**
 * Points readers at a version from the next look of its projectors on. `only`: `first` = unless it
 * was in force before. Answers whether that changed anything.
 */
export function putInForce(pool: Pool, schema: string, only?: 'first'): Promise<boolean> {
  return withTransaction(pool, 'read committed', async (client) => {
    await client.query('select pg_advisory_xact_lock(hashtext($1), hashtext($2))', [
      'airouter version in force',
      partsOf(schema)!.stem,
    ]);
    const versions = await storedVersions(client, schema);
    const own = versions.find((each) => each.schema === schema);
    if (own === undefined) throw new AiRouterError('invalid_usage', `There is no ${schema}.`);
    const isIdle = only === 'first' ? own.turn !== null : versionInForce(versions) === own;
    if (isIdle) return false;
    const next = Math.max(...versions.map(({ turn }) => turn ?? 0)) + 1;
    await client.query(
      `insert into "${schema}".projection_setting (name, value) values ($1, $2)
       on conflict (name) do update set value = excluded.value`,
      [TURN_SETTING, String(next)],
    );
    return true;
  });
}

/**
 * Refuses to begin an older version anew: it was ended while a newer one is in force, and who
 * starts it does not know.
 */
export async function refuseEnded(client: Queryable, schema: string): Promise<void> {
  const versions = await storedVersions(client, schema);
  if (versions.some((each) => each.schema === schema)) return;
  const inForce = versionInForce(versions);
  const own = partsOf(schema);
  if (inForce === null || own === null || inForce.version < own.version) return;
  throw new AiRouterError(
    'schema_newer',
    `Projection version ${own.version} was ended and version ${inForce.version} is in force (${inForce.schema}); start that version of AiRouter.`,
  );
}

export interface CutOverOptions {
  pool: Pool;
  /** Of the version that is folded here. */
  schema: string;
  /** Whose offsets say how far a version is. */
  topics: readonly string[];
  onCutOver(from: StoredVersion, to: StoredVersion): void;
}

/**
 * Answers the version in force, each time that it is asked. The one that is folded here takes over,
 * once, from a lower one, as soon as it stands where that one stood a round before: under load
 * nobody is ever where the other is at this moment. Whoever goes back to the lower one has the say
 * from then on.
 */
export function createCutOver(options: CutOverOptions): () => Promise<StoredVersion | null> {
  const { pool, schema, topics } = options;
  let goal: Vector | null = null;
  return async () => {
    const versions = await storedVersions(pool, schema);
    const inForce = versionInForce(versions);
    const own = versions.find((each) => each.schema === schema);
    const isNewcomer = own?.turn === null && inForce !== null && own.version > inForce.version;
    if (!isNewcomer) return inForce;
    const [stood, reached] = await withTransaction(pool, 'repeatable read', async (client) => [
      await readVector(client, inForce.schema, topics),
      await readVector(client, schema, topics),
    ]);
    const isThere = isAtLeast(reached, goal ?? stood);
    goal = stood;
    if (!isThere) return inForce;
    if (await putInForce(pool, schema, 'first')) options.onCutOver(inForce, own);
    return own;
  };
}
