import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../src/package-root.js';
import { LocalProcess } from '../stack/local-process.js';

const PROGRAM = join(packageRoot, 'dist', 'src', 'main.js');
const RESTART_MS = 100;
/** A defect is one sentence, and its stack. */
const LAST_LINES = 12;

export interface RoleOptions {
  name: string;
  args: readonly string[];
  /** For its log. */
  dir: string;
  environment: Readonly<Record<string, string>>;
}

/** A process of the product, with a supervisor that starts it again whatever ended it. */
export class Role {
  readonly name: string;
  readonly #process: LocalProcess;
  #isClosing = false;
  #isKilled = false;
  #upSinceMs = Number.POSITIVE_INFINITY;
  #supervised: Promise<void>;
  /** Its last words, each time that it ended though nobody had killed it. */
  readonly ends: string[] = [];

  constructor({ name, args, dir, environment }: RoleOptions) {
    this.name = name;
    this.#process = new LocalProcess(
      {
        name,
        command: process.execPath,
        args: [PROGRAM, ...args],
        cwd: dir,
        logFile: join(dir, `${name}.log`),
        pidFile: join(dir, `${name}.pid`),
        env: { PATH: process.env['PATH'], AIROUTER_DATA_DIR: join(dir, 'data'), ...environment },
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

  /** Resident memory in MiB; null while it does not run. */
  rssMib(): number | null {
    const { pid } = this.#process;
    if (pid === null) return null;
    try {
      const kib = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return kib === undefined ? null : Number(kib) / 1024;
    } catch {
      return null;
    }
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
      if (!this.#isKilled) this.ends.push(this.#process.logTail(LAST_LINES));
      this.#isKilled = false;
      await sleep(RESTART_MS);
    }
  }
}
