import { readdirSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readPidFile, stopByPidFile } from './local-process.js';
import type { Wanted } from './plan.js';

/** What `up` leaves in its folder, for `down`, `status` and the next `up`. */
export interface StackState {
  wanted: Wanted;
  /** KAFKA_BROKERS, REDIS_URL, DATABASE_URL of what was started or named. */
  variables: Readonly<Record<string, string>>;
  processes: readonly string[];
}

export interface ProcessStatus {
  name: string;
  /** null = it does not run */
  pid: number | null;
}

const STOP_GRACE_MS = 15_000;
const STATE_FILE = 'stack.json';

/** The last complete `up` of the folder, or null. */
export function readState(dir: string): StackState | null {
  try {
    return JSON.parse(readFileSync(join(dir, STATE_FILE), 'utf8')) as StackState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Readable by its owner only: DATABASE_URL holds a password. */
export async function writeState(dir: string, state: StackState): Promise<void> {
  const path = join(dir, STATE_FILE);
  await writeFile(`${path}.part`, JSON.stringify(state), { mode: 0o600 });
  await rename(`${path}.part`, path);
}

export function statusOf(dir: string, state: StackState): ProcessStatus[] {
  return state.processes.map((name) => ({
    name,
    pid: readPidFile(join(dir, `${name}.pid`))?.pid ?? null,
  }));
}

/** Ends every process of the folder, also what an `up` started that was itself killed. */
export async function stopAll(dir: string): Promise<string[]> {
  const files = pidFiles(dir);
  await rm(join(dir, STATE_FILE), { force: true });
  const live = files.filter((file) => readPidFile(file) !== null);
  await Promise.all(files.map((file) => stopByPidFile(file, signalFor(file), STOP_GRACE_MS)));
  return live.map((file) => basename(file, '.pid'));
}

function pidFiles(dir: string): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.pid'))
      .map((name) => join(dir, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** On SIGTERM Postgres waits until every client has left. */
function signalFor(pidFile: string): NodeJS.Signals {
  return basename(pidFile) === 'postgres.pid' ? 'SIGINT' : 'SIGTERM';
}
