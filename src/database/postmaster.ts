import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The running server of a data folder, as its lock file `postmaster.pid` tells. */
export interface Postmaster {
  pid: number;
  port: number;
}

/**
 * The live server of the data folder; null = there is none. After a restart of a machine or a
 * container the lock file may name a process that is something else by now: then the file is
 * made stale (`disown`), for Postgres would not start beside a live process.
 */
export async function livePostmaster(data: string): Promise<Postmaster | null> {
  const lines = await lockFile(data);
  const pid = Number(lines?.[0]);
  const port = Number(lines?.[3]);
  if (lines === null || !Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return null;
  if (!(await isServerOf(pid, data))) {
    await disown(data, lines);
    return null;
  }
  // The port is written some ms after the pid; until then the server is not to be reached.
  return { pid, port: Number.isInteger(port) ? port : 0 };
}

/** Lines of the lock file: pid, data folder, start time, port, …; null = there is none. */
async function lockFile(data: string): Promise<string[] | null> {
  try {
    return (await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Judged by the arguments that we start it with. A zombie has none. */
export async function isServerOf(pid: number, data: string): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0').includes(data);
  } catch {
    // No /proc (macOS), or it ended just now.
  }
  try {
    return (await run('ps', ['-p', String(pid), '-o', 'args='])).stdout.includes(data);
  } catch {
    return false;
  }
}

/**
 * Puts our own pid into the lock file: Postgres takes a file that names its parent as stale, and
 * still checks by the rest of it that no backend of a killed server is left on the data.
 * (Removing the file would remove that check.)
 */
async function disown(data: string, lines: readonly string[]): Promise<void> {
  const path = join(data, 'postmaster.pid');
  const fresh = join(data, `postmaster.pid.${randomBytes(6).toString('hex')}`);
  const { uid, gid } = await stat(data);
  await writeFile(fresh, [String(process.pid), ...lines.slice(1)].join('\n'), {
    flag: 'wx',
    mode: 0o600,
  });
  if (process.getuid?.() === 0) await chown(fresh, uid, gid);
  await rename(fresh, path);
}
