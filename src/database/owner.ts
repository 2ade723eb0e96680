import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { AiRouterError } from '../errors.js';
import { addressOf, classify } from './classify.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';

/** What a process that attaches to the owner of a data folder needs to know. */
export interface OwnerInfo {
  pid: number;
  /** Port of its HTTP server on loopback; null = it serves none. */
  port: number | null;
  /** What it serves: topics, schemas and keys of this namespace. */
  namespace: string;
  /** With the password: not to be logged. */
  databaseUrl: string;
  /** Proves to the owner's HTTP server that the caller can read the folder. */
  token: string;
}

export interface Owner {
  databaseUrl: string;
  token: string;
  /** Tells commands where to attach, once the HTTP server listens. */
  publish(port: number): Promise<void>;
  /** Gives the folder up; stops Postgres, where it is the embedded one. */
  release(): Promise<void>;
}

const FILE = 'owner.json';
const CONNECT_TIMEOUT_MS = 5_000;
/** A session lock: it ends with its holder, so it is never stale. */
const TAKE_LOCK = 'select pg_try_advisory_lock(hashtextextended($1, 0)) as taken';

export interface OwnerOptions {
  dataDir: string;
  namespace: string;
  /** Null = the embedded Postgres of the folder, which is started or adopted. */
  databaseUrl: string | null;
  onProgress: (line: string) => void;
}

/**
 * Makes this process the owner of the data folder. Throws `already_running` where another process
 * owns it, `database_unavailable` where the database cannot be reached.
 */
export async function becomeOwner(options: OwnerOptions): Promise<Owner> {
  const { dataDir, namespace, onProgress } = options;
  await mkdir(dataDir, { recursive: true });
  const postgres =
    options.databaseUrl === null ? await startEmbeddedPostgres({ dataDir, onProgress }) : null;
  const databaseUrl = options.databaseUrl ?? postgres!.databaseUrl;
  const session = await connect(databaseUrl);
  if (!(await isTaken(session, dataDir))) {
    await session.end();
    throw await alreadyRunning(dataDir);
  }
  const token = randomBytes(32).toString('hex');
  const info = { pid: process.pid, port: null, namespace, databaseUrl, token };
  await writeInfo(dataDir, info);
  return {
    databaseUrl,
    token,
    publish: (port) => writeInfo(dataDir, { ...info, port }),
    async release() {
      await rm(join(dataDir, FILE), { force: true });
      await session.end().catch(() => {});
      await postgres?.stop();
    },
  };
}

async function alreadyRunning(dataDir: string): Promise<AiRouterError> {
  const owner = await readInfo(dataDir);
  const port = owner?.port == null ? '' : ` on port ${owner.port}`;
  const who = owner === null ? 'another process' : `process ${owner.pid}${port}`;
  return new AiRouterError('already_running', `${dataDir} belongs to ${who}`);
}

/** The live owner of a data folder; null where there is none. */
export async function findOwner(dataDir: string): Promise<OwnerInfo | null> {
  const info = await readInfo(dataDir);
  if (info === null) return null;
  let session: Client;
  try {
    session = await connect(info.databaseUrl);
  } catch {
    return null;
  }
  try {
    // Whoever can take the lock has found a folder whose owner is gone.
    return (await isTaken(session, dataDir)) ? null : info;
  } finally {
    await session.end();
  }
}

async function connect(databaseUrl: string): Promise<Client> {
  const client = new Client({
    connectionString: databaseUrl,
    application_name: 'airouter owner',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  });
  client.on('error', () => {}); // The next statement rejects.
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => {});
    throw classify(error, `Postgres at ${addressOf(databaseUrl)}`);
  }
}

async function isTaken(session: Client, dataDir: string): Promise<boolean> {
  const { rows } = await session.query<{ taken: boolean }>(TAKE_LOCK, [
    `airouter owner ${hostname()} ${resolve(dataDir)}`,
  ]);
  return rows[0]!.taken;
}

async function readInfo(dataDir: string): Promise<OwnerInfo | null> {
  try {
    return JSON.parse(await readFile(join(dataDir, FILE), 'utf8')) as OwnerInfo;
  } catch {
    return null;
  }
}

/** Written whole or not at all: who attaches never reads half of it. */
async function writeInfo(dataDir: string, info: OwnerInfo): Promise<void> {
  const path = join(dataDir, FILE);
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, JSON.stringify(info), { mode: 0o600 });
  await rename(draft, path);
}
