import { randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AiRouterError } from '../errors.js';
import { canEnter, type ServerUser, serverUser } from './server-user.js';

/** Where root keeps the data that must be open to another user but cannot stay where it was asked for. */
const SYSTEM_FOLDER = '/var/lib/airouter';
/** In the product's folder: names the folder that holds the data instead. */
const POINTER = 'postgres.location';

export interface PostgresHome {
  /** Real path; holds `postgres` (the data), its server log and, where needed, copied binaries. */
  folder: string;
  /** Real path of the data folder. */
  data: string;
  /** Whom the server runs as; null = the present user. */
  user: ServerUser | null;
}

/**
 * Where the data of the embedded Postgres lies and whom it runs as: below `dataDir`, as the
 * present user. Root must run Postgres as another user; when a parent of `dataDir` is closed to
 * that user, the data lies in `/var/lib/airouter/<id>` and `dataDir` holds a pointer to it.
 * No folder that was there before is made more open.
 */
export async function postgresHome(dataDir: string): Promise<PostgresHome> {
  const asked = resolve(dataDir);
  const made = await mkdir(asked, { recursive: true });
  const user = await serverUser();
  if (made !== undefined) await chmod(asked, user === null ? 0o700 : 0o711);
  const own = await realpath(asked);
  const pointed = await readPointer(own);
  if (pointed !== null) return homeAt(pointed, user);
  const hasData = (await ownerOf(join(own, 'postgres'))) !== null;
  if (hasData || user === null || (await canEnter(user, own))) return homeAt(own, user);
  return homeAt(await elsewhere(own), user);
}

/** Data that are there keep their owner, so that root and that user can take turns. */
async function homeAt(folder: string, user: ServerUser | null): Promise<PostgresHome> {
  const data = join(folder, 'postgres');
  const owner = await ownerOf(data);
  if (owner === null || owner.uid === 0) return { folder, data, user };
  if (user !== null) return { folder, data, user: owner };
  if (owner.uid === process.getuid?.()) return { folder, data, user: null };
  throw new AiRouterError(
    'invalid_setting',
    `AIROUTER_DATA_DIR must be a folder of the present user; ${data} belongs to the user with id ${owner.uid}.`,
    { field: 'AIROUTER_DATA_DIR', rule: 'a folder of the present user' },
  );
}

async function elsewhere(own: string): Promise<string> {
  const folder = join(SYSTEM_FOLDER, randomUUID());
  try {
    await mkdir(SYSTEM_FOLDER, { recursive: true, mode: 0o755 });
    await mkdir(folder);
    await chmod(folder, 0o711);
  } catch (cause) {
    throw new AiRouterError(
      'invalid_setting',
      `AIROUTER_DATA_DIR must be a folder that an unprivileged user can enter, since Postgres does not run as root; ${own} is not, and ${SYSTEM_FOLDER} cannot be made.`,
      { field: 'AIROUTER_DATA_DIR', rule: 'a folder that can be entered', cause },
    );
  }
  try {
    await writeFile(join(own, POINTER), `${folder}\n`, { flag: 'wx', mode: 0o600 });
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    const other = await readPointer(own); // Another starter was faster.
    if (other === null) throw error;
    return other;
  }
}

/** Followed only to a folder that root alone could have made. */
async function readPointer(own: string): Promise<string | null> {
  const path = join(own, POINTER);
  let folder: string;
  try {
    folder = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const stats = await lstat(folder).catch(() => null);
  const isOurs = stats?.isDirectory() && stats.uid === 0 && (stats.mode & 0o022) === 0;
  if (folder.startsWith(`${SYSTEM_FOLDER}/`) && resolve(folder) === folder && isOurs) return folder;
  throw new AiRouterError(
    'invalid_setting',
    `${path} names ${JSON.stringify(folder)}, which is not a folder of root below ${SYSTEM_FOLDER}; the data of this AIROUTER_DATA_DIR are lost or were moved.`,
    { field: 'AIROUTER_DATA_DIR', rule: 'a folder whose data are there' },
  );
}

async function ownerOf(folder: string): Promise<ServerUser | null> {
  const stats = await lstat(folder).catch(() => null);
  return stats === null ? null : { uid: stats.uid, gid: stats.gid };
}
