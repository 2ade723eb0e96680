import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

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

const FILE = 'owner.json';

/** Null where there is none, or none that can be read: the lock is the truth, not the file. */
export async function readOwnerFile(dataDir: string): Promise<OwnerInfo | null> {
  try {
    return JSON.parse(await readFile(join(dataDir, FILE), 'utf8')) as OwnerInfo;
  } catch {
    return null;
  }
}

/** Written whole or not at all: who attaches never reads half of it. */
export async function writeOwnerFile(dataDir: string, info: OwnerInfo): Promise<void> {
  const path = join(dataDir, FILE);
  const draft = `${path}.${process.pid}`;
  await rm(draft, { force: true });
  await writeFile(draft, JSON.stringify(info), { flag: 'wx', mode: 0o600 });
  await rename(draft, path);
}

export async function removeOwnerFile(dataDir: string): Promise<void> {
  await rm(join(dataDir, FILE), { force: true });
}
