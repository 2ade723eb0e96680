import { realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { Client } from 'pg';
import { addressOf, classify, connectError } from './classify.js';

/**
 * The lock of a data folder: an advisory lock of a session, which ends with its holder, so it is
 * never stale. It must not pass a pooler that shares sessions. The holder's process id is in the
 * session's name.
 */
export interface OwnerLock {
  /** Called once, when the session ends without `release`: the lock is lost. */
  onLost(listener: () => void): void;
  release(): Promise<void>;
}

/** Longest wait for a connection, and for the answer to the question for the lock. */
const CONNECT_TIMEOUT_MS = 5_000;
/** The connection that holds the lock idles: how soon a server that vanished is noticed. */
const KEEP_ALIVE_AFTER_MS = 10_000;
const NAME = 'airouter owner';

/** The lock; or the process id of its holder, 0 where that is hidden. Rejects classified. */
export async function takeOwnerLock(
  databaseUrl: string,
  dataDir: string,
): Promise<OwnerLock | number> {
  const client = await connect(databaseUrl, `${NAME} ${process.pid}`);
  try {
    const key = await keyOf(dataDir);
    const { rows } = await client.query<{ taken: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as taken',
      [key],
    );
    if (rows[0]?.taken === true) return lockOf(client);
    const holder = await holderOf(client, key);
    await end(client);
    return holder ?? 0;
  } catch (error) {
    await end(client);
    throw classify(error, `Postgres at ${addressOf(databaseUrl)}`);
  }
}

/** Process id of the holder, 0 where it is hidden, null where nobody holds the lock. */
export async function ownerLockHolder(
  databaseUrl: string,
  dataDir: string,
): Promise<number | null> {
  const client = await connect(databaseUrl, 'airouter');
  try {
    return await holderOf(client, await keyOf(dataDir));
  } catch (error) {
    throw classify(error, `Postgres at ${addressOf(databaseUrl)}`);
  } finally {
    await end(client);
  }
}

function lockOf(client: Client): OwnerLock {
  let isOver = false;
  let notify = (): void => {};
  client.once('end', () => {
    if (isOver) return;
    isOver = true;
    notify();
  });
  return {
    onLost(listener) {
      if (isOver) queueMicrotask(listener);
      else notify = listener;
    },
    async release() {
      isOver = true;
      await end(client);
    },
  };
}

/** Asked without trying the lock: a look must not stand in the way of whoever wants it. */
async function holderOf(client: Client, key: string): Promise<number | null> {
  const { rows } = await client.query<{ name: string | null }>(
    `select application_name as name
       from pg_locks as l left join pg_stat_activity as a on a.pid = l.pid
      where l.locktype = 'advisory' and l.granted and l.objsubid = 1
        and l.database = (select oid from pg_database where datname = current_database())
        and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended($1, 0)`,
    [key],
  );
  const [holder] = rows;
  if (holder === undefined) return null;
  return Number(/\d+$/.exec(holder.name ?? '')?.[0] ?? 0);
}

/** Folders of several machines may share a database. */
async function keyOf(dataDir: string): Promise<string> {
  return `airouter owner ${hostname()} ${await realpath(dataDir)}`;
}

async function connect(databaseUrl: string, name: string): Promise<Client> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: name,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
  });
  client.on('error', () => {}); // The statement under way rejects; without one, `end` follows.
  try {
    await client.connect();
    return client;
  } catch (error) {
    await end(client);
    throw connectError(error, databaseUrl);
  }
}

async function end(client: Client): Promise<void> {
  await client.end().catch(() => {});
}
