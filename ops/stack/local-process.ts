import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceProcess } from './service.js';

/** `parent`: dies with the process that started it, however that ends. `detached`: survives it. */
export type Lifetime = 'parent' | 'detached';

export interface ProcessSpec {
  name: string;
  command: string;
  args: readonly string[];
  cwd: string;
  /** stdout and stderr are appended here. */
  logFile: string;
  /** Holds pid and start time while the process is up, so that another process can stop it. */
  pidFile: string;
  env?: Readonly<Record<string, string | undefined>>;
  user?: { uid: number; gid: number };
}

// Runs beside the service: waits on a pipe that the parent holds open. A line on it means that
// the service has ended. Its end without a line means that the parent has died, and the service
// is killed. `$$` is the shell's pid also in its subshell, and `exec` hands it to the service.
const GUARDED = `{ exec <&3 3<&-; read -r line || kill -9 $$; } >/dev/null 2>&1 &
exec "$@" 3<&-`;

/** One process of the local stack: started, killed by any signal, started again. */
export class LocalProcess implements ServiceProcess {
  readonly name: string;
  readonly spec: ProcessSpec;
  readonly #lifetime: Lifetime;
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();

  constructor(spec: ProcessSpec, lifetime: Lifetime) {
    this.name = spec.name;
    this.spec = spec;
    this.#lifetime = lifetime;
  }

  async start(): Promise<void> {
    if (this.isRunning()) throw new Error(`${this.name} is already running`);
    const { command, args, cwd, env, user } = this.spec;
    for (const file of [this.spec.logFile, this.spec.pidFile]) {
      mkdirSync(dirname(file), { recursive: true });
    }
    const guarded = this.#lifetime === 'parent';
    const log = openSync(this.spec.logFile, 'a');
    const child = spawn(
      guarded ? '/bin/sh' : command,
      guarded ? ['-c', GUARDED, 'sh', command, ...args] : [...args],
      {
        cwd,
        // A group of its own: Ctrl-C in the terminal ends the parent, which then stops in order.
        detached: true,
        stdio: ['ignore', log, log, guarded ? 'pipe' : 'ignore'],
        ...(env === undefined ? {} : { env: { ...env } }),
        ...user,
      },
    );
    closeSync(log);
    this.#child = child;
    this.#exited = exitOf(child, this.spec.pidFile);
    if (child.pid !== undefined) writePidFile(this.spec.pidFile, child.pid);
    if (!guarded) child.unref();
  }

  isRunning(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** How the last one ended, as `code 3` or `SIGKILL`; null = it runs, or there was none. */
  get ending(): string | null {
    const child = this.#child;
    if (child === null || this.isRunning()) return null;
    return child.signalCode ?? `code ${child.exitCode}`;
  }

  get pid(): number | null {
    return this.isRunning() ? (this.#child?.pid ?? null) : null;
  }

  /** Sends the signal; resolves when it is sent, and for SIGKILL when the process is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning()) return;
    this.#child?.kill(signal);
    if (signal === 'SIGKILL') await this.#exited;
  }

  /** Asks it to end by `signal`; after `graceMs` it is killed. */
  async stop(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    if (!this.isRunning()) return;
    this.#child?.kill('SIGCONT');
    this.#child?.kill(signal);
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Resolves once the process has ended. */
  exited(): Promise<void> {
    return this.#exited;
  }

  /** The last lines that it wrote, for the error that says why it did not start. */
  logTail(lines = 15): string {
    try {
      return readFileSync(this.spec.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '(no log)';
    }
  }
}

function exitOf(child: ChildProcess, pidFile: string): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      const pipe = child.stdio[3] as Writable | null | undefined;
      pipe?.on('error', () => {});
      pipe?.end('ended\n');
      rmSync(pidFile, { force: true });
      resolve();
    };
    child.once('exit', done);
    child.once('error', done);
  });
}

export interface ProcessIdentity {
  pid: number;
  /** When it started, as the system tells it: a later process with the same pid differs. */
  startedAt: string;
}

/** Names a live process, for `readPidFile`. */
export function writePidFile(path: string, pid: number): void {
  const startedAt = startTimeOf(pid);
  if (startedAt !== null) writeFileSync(path, JSON.stringify({ pid, startedAt }));
}

/** What the pid file names, if that very process is still alive; else null. */
export function readPidFile(path: string): ProcessIdentity | null {
  try {
    const held = JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
    return startTimeOf(held.pid) === held.startedAt ? held : null;
  } catch {
    return null;
  }
}

/** Ends the process of a pid file, if it is still that process, and removes the file. */
export async function stopByPidFile(
  path: string,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<void> {
  const killAtMs = performance.now() + graceMs;
  let sent: NodeJS.Signals | null = null;
  for (let held = readPidFile(path); held !== null; held = readPidFile(path)) {
    const next = performance.now() < killAtMs ? signal : 'SIGKILL';
    if (sent !== next) {
      send(held.pid, 'SIGCONT');
      send(held.pid, next);
      sent = next;
    }
    await sleep(20);
  }
  rmSync(path, { force: true });
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended just now.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Start time of a live process as a text that is compared only; null = there is none. */
export function startTimeOf(pid: number): string | null {
  if (process.platform !== 'linux') {
    const said = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    return said.status === 0 ? said.stdout.trim() : null;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command may hold spaces and brackets: fields are counted from its last bracket on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X' || ticks === undefined) return null;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${ticks}`;
  } catch {
    return null;
  }
}
