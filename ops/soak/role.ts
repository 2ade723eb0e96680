import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../src/package-root.js';
import type { LiveMemory } from '../live-heap.js';
import { LocalProcess } from '../stack/local-process.js';

const PROBE = join(packageRoot, 'dist', 'ops', 'soak', 'heap-probe.js');
/** Far above what a collection takes on a busy machine. */
const MEMORY_TIMEOUT_MS = 5_000;
const LOOK_MS = 20;
const RESTART_MS = 100;
/** A defect is a line of its log and one sentence; what came before may be its cause. */
const LAST_LINES = 12;

export interface RoleOptions {
  name: string;
  args: readonly string[];
  /** For its log. */
  dir: string;
  environment: Readonly<Record<string, string>>;
  /** Folder of the build that is run; this one without it. */
  root?: string;
}

/** The program of a build. */
export const programOf = (root = packageRoot): string => join(root, 'dist', 'src', 'main.js');

/** What a process holds, and how long it has run. */
export interface ProcessMemory extends LiveMemory {
  pid: number;
  ageMs: number;
}

/** A process of the product, with a supervisor that starts it again whatever ended it. */
export class Role {
  readonly name: string;
  readonly #process: LocalProcess;
  readonly #memoryFile: string;
  #isClosing = false;
  #isKilled = false;
  #upSinceMs = Number.POSITIVE_INFINITY;
  #supervised: Promise<void>;
  /** How, and its last words, each time that it ended though nobody had killed it. */
  readonly ends: string[] = [];

  constructor({ name, args, dir, environment, root }: RoleOptions) {
    this.name = name;
    this.#memoryFile = join(dir, `${name}.memory`);
    this.#process = new LocalProcess(
      {
        name,
        command: process.execPath,
        args: ['--import', PROBE, programOf(root), ...args],
        cwd: dir,
        logFile: join(dir, `${name}.log`),
        pidFile: join(dir, `${name}.pid`),
        env: {
          PATH: process.env['PATH'],
          AIROUTER_DATA_DIR: join(dir, 'data'),
          SOAK_MEMORY_FILE: this.#memoryFile,
          ...environment,
        },
      },
      'parent',
    );
    this.#supervised = this.#supervise();
  }

  /** ms of `performance.now()` since when nothing was done to it; infinite while it is harmed. */
  get upSinceMs(): number {
    return this.#upSinceMs;
  }

  async kill(): Promise<void> {
    this.#isKilled = true;
    // Before its last call ends: who asked then was harmed by us.
    this.#upSinceMs = Number.POSITIVE_INFINITY;
    await this.#process.kill('SIGKILL');
  }

  async freeze(): Promise<void> {
    this.#upSinceMs = Number.POSITIVE_INFINITY;
    await this.#process.kill('SIGSTOP');
  }

  async thaw(): Promise<void> {
    await this.#process.kill('SIGCONT');
    this.#upSinceMs = performance.now();
  }

  /** What is live in it; null where it does not answer, as one that is just being started. */
  async memory(): Promise<ProcessMemory | null> {
    const { pid } = this.#process;
    // Nobody listens yet: the signal would end it.
    if (pid === null || this.#memoryLines(pid).length === 0) return null;
    const before = this.#memoryLines(pid).length;
    await this.#process.kill('SIGUSR2');
    const endMs = performance.now() + MEMORY_TIMEOUT_MS;
    while (performance.now() < endMs) {
      const line = this.#memoryLines(pid)[before];
      if (line !== undefined) return line as ProcessMemory;
      await sleep(LOOK_MS);
    }
    return null;
  }

  #memoryLines(pid: number): Partial<ProcessMemory>[] {
    if (!existsSync(this.#memoryFile)) return [];
    const lines = readFileSync(this.#memoryFile, 'utf8').split('\n').slice(0, -1);
    return lines
      .map((line) => JSON.parse(line) as Partial<ProcessMemory>)
      .filter((line) => line.pid === pid);
  }

  async stop(): Promise<void> {
    this.#isClosing = true;
    await this.#process.stop('SIGTERM', 15_000);
    await this.#supervised;
  }

  async #supervise(): Promise<void> {
    while (!this.#isClosing) {
      await this.#process.start();
      this.#upSinceMs = performance.now();
      await this.#process.exited();
      this.#upSinceMs = Number.POSITIVE_INFINITY;
      if (this.#isClosing) return;
      const words = `${this.#process.ending}: ${this.#process.logTail(LAST_LINES)}`;
      if (!this.#isKilled) this.ends.push(words);
      this.#isKilled = false;
      await sleep(RESTART_MS);
    }
  }
}
