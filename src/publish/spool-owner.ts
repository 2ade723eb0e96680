import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AiRouterError } from '../errors.js';

/**
 * One process owns a spool folder. Each announces itself by a file that bears its pid and the
 * time when it started (a pid alone is soon given to another, after a restart of a container
 * often the same one), and only then looks for others. So of two that start at the same moment
 * at least one sees the other and gives up; a file of a process that is gone is removed.
 * Owners must see each other's processes: two containers with separate pid namespaces need two
 * folders.
 */
const OWNER_FILE = /^owner-(\d+)-(\d+)$/;

// A file with our own pid and start is ours only if this process made it.
const ownedHere = new Set<string>();

/** Takes the folder or throws `already_running`; answers how to give it back. */
export function takeSpoolFolder(dir: string): () => void {
  const name = `owner-${process.pid}-${startOf(process.pid)}`;
  const path = join(dir, name);
  if (ownedHere.has(path)) throw takenBy(dir, process.pid);
  closeSync(openSync(path, 'w'));
  for (const other of readdirSync(dir)) {
    const match = OWNER_FILE.exec(other);
    if (match === null || other === name) continue;
    if (isAlive(Number(match[1]), match[2] as string)) {
      rmSync(path, { force: true });
      throw takenBy(dir, Number(match[1]));
    }
    rmSync(join(dir, other), { force: true });
  }
  ownedHere.add(path);
  return () => {
    ownedHere.delete(path);
    rmSync(path, { force: true });
  };
}

function takenBy(dir: string, pid: number): AiRouterError {
  return new AiRouterError(
    'already_running',
    `The spool folder ${dir} is in use by the publisher of process ${pid}; each publisher needs a folder of its own`,
    { field: 'AIROUTER_SPOOL_DIR' },
  );
}

function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(pid) === start;
}

/** Clock ticks from boot to the start of the process; "0" where /proc does not tell. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field, the command, may hold spaces and brackets; `starttime` is the 22nd.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return '0';
  }
}
