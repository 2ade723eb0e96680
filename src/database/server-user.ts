import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The user that a child process is run as. */
export interface ServerUser {
  uid: number;
  gid: number;
}

/**
 * The unprivileged user that Postgres is run as: it refuses to be root. Null = the present user.
 */
export async function serverUser(): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  return (await userNamed('postgres')) ?? (await userNamed('nobody')) ?? { uid: 65534, gid: 65534 };
}

async function userNamed(name: string): Promise<ServerUser | null> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    const user = { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    return Number.isInteger(user.uid) && user.uid > 0 ? user : null;
  } catch {
    return null; // No such user.
  }
}

/** Whether the user can enter the folder: asked of the kernel, which knows parents and ACLs. */
export async function canEnter(user: ServerUser | null, folder: string): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], childOptions(user));
    return true;
  } catch {
    return false;
  }
}

/**
 * Options of a child process: the working directory is one that every user can enter, and the
 * environment is empty, so that the caller's PGPORT, PGDATA and the like have no say.
 */
export function childOptions(user: ServerUser | null): {
  cwd: string;
  env: Record<string, string>;
  uid?: number;
  gid?: number;
} {
  return { cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }, ...user };
}
