import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPidFile, writePidFile } from './local-process.js';

const PREFIX = 'airouter-stack-';
/** Names the process whose run it is. */
const OWNER_FILE = 'owner.pid';

/**
 * A new empty folder for one run. What runs left that were themselves killed is removed first.
 * Others may pass through the folder: Postgres never runs as root.
 */
export async function makeRunFolder(parent = tmpdir()): Promise<string> {
  await removeAbandoned(parent);
  const folder = join(parent, `${PREFIX}${randomUUID()}`);
  await mkdir(folder, { mode: 0o755 });
  writePidFile(join(folder, OWNER_FILE), process.pid);
  return folder;
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const folder = join(parent, name);
    if (!name.startsWith(PREFIX) || readPidFile(join(folder, OWNER_FILE)) !== null) continue;
    // Another user's is not ours to judge; one without an owner yet may be a second old.
    const made = await stat(folder).catch(() => null);
    if (made === null || made.uid !== process.getuid?.() || Date.now() - made.mtimeMs < 60_000) {
      continue;
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
