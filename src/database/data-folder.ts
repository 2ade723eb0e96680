import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chown,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AiRouterError } from '../errors.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import type { PostgresHome } from './postgres-home.js';
import { isAlive } from './postmaster.js';
import { childOptions } from './server-user.js';

const run = promisify(execFile);

/** The superuser of the embedded server. */
export const EMBEDDED_USER = 'airouter';
/** In the data folder, mode 0600. */
const PASSWORD_FILE = 'airouter.password';
/** initdb takes 1 to 3 s; a slow disk that syncs 1,000 files may need far longer. */
const INITDB_TIMEOUT_MS = 300_000;

/**
 * Makes the data folder where there is none or an empty one, and answers the server's password.
 * Never touches what it does not know: a folder with other content, or of another major version,
 * is `invalid_setting`.
 */
export async function prepareDataFolder(
  home: PostgresHome,
  binaries: PostgresBinaries,
  onProgress: (line: string) => void,
): Promise<string> {
  if (await isEmpty(home.data)) {
    onProgress(`Creating the embedded Postgres in ${home.data}`);
    await removeAbandoned(home.folder);
    await initialise(home, binaries);
  }
  await checkVersion(home, binaries.major);
  await giveAway(home);
  return (await readFile(join(home.data, PASSWORD_FILE), 'utf8')).trim();
}

/** initdb under another name, then a rename: of two starters one wins, and none is half done. */
async function initialise(home: PostgresHome, binaries: PostgresBinaries): Promise<void> {
  const suffix = `${process.pid}-${randomBytes(6).toString('hex')}`;
  const fresh = join(home.folder, `postgres.tmp-${suffix}`);
  const passwordFile = join(home.folder, `postgres.password-${suffix}`);
  try {
    await writeFile(passwordFile, randomBytes(24).toString('base64url'), {
      flag: 'wx',
      mode: 0o600,
    });
    await mkdir(fresh, { mode: 0o700 });
    if (home.user !== null) {
      await chown(passwordFile, home.user.uid, home.user.gid);
      await chown(fresh, home.user.uid, home.user.gid);
    }
    await run(
      binaries.initdb,
      [
        `--pgdata=${fresh}`,
        `--username=${EMBEDDED_USER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
      ],
      { ...childOptions(home.user), timeout: INITDB_TIMEOUT_MS },
    );
    await rename(passwordFile, join(fresh, PASSWORD_FILE));
    await rename(fresh, home.data).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    await syncFolder(dirname(home.data));
  } finally {
    await rm(passwordFile, { force: true });
    await rm(fresh, { recursive: true, force: true });
  }
}

/** What starters left that were killed within initdb; their process id is in the name. */
async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^postgres\.(?:tmp|password)-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function checkVersion(home: PostgresHome, major: string): Promise<void> {
  const found = await readFile(join(home.data, 'PG_VERSION'), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    },
  );
  if (found?.trim() === major) return;
  const what = found === null ? 'other files' : `data of PostgreSQL ${found.trim()}`;
  throw new AiRouterError(
    'invalid_setting',
    `AIROUTER_DATA_DIR must be a folder whose postgres/ is absent, empty or of PostgreSQL ${major}; ${home.data} holds ${what}.`,
    { field: 'AIROUTER_DATA_DIR', rule: 'a folder of the embedded Postgres' },
  );
}

/** Data that root copied back (a restored backup) belong to root; Postgres refuses them. */
async function giveAway(home: PostgresHome): Promise<void> {
  if (home.user === null) return;
  const { uid, gid } = home.user;
  if ((await stat(home.data)).uid === 0)
    await run('chown', ['-R', '-h', `${uid}:${gid}`, home.data]);
}

async function isEmpty(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

/** A rename is durable only once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync().finally(() => handle.close());
}
