import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, livePostmaster } from '../../src/database/postmaster.js';
import type { ServerUser } from '../../src/database/server-user.js';
import { packageRoot } from '../../src/package-root.js';

const POLL_INTERVAL_MS = 20;

export type Environment = Readonly<Record<string, string>>;

export interface Ended {
  /** Null where a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The built command line as a user meets it: processes and folders that end with the tests. */
export class AiRouter {
  readonly #folders: string[] = [];
  readonly #running = new Set<Running>();
  readonly #user: ServerUser | null;
  readonly #node: string;
  readonly #program: string;

  /**
   * As another user, where root runs the tests; null = as the present one. `root`: the folder of
   * the built package.
   */
  constructor(user: ServerUser | null = null, node = process.execPath, root = packageRoot) {
    this.#user = user;
    this.#node = node;
    this.#program = join(root, 'dist', 'src', 'main.js');
    // A worker that is stopped by force runs no hooks.
    process.once('exit', () => {
      for (const { child } of this.#running) child.kill('SIGKILL');
    });
  }

  /** A data folder that is not there yet, below a folder that every user can enter. */
  async newDataDir(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'airouter-e2e-'));
    await chmod(folder, 0o755);
    if (this.#user !== null) await chown(folder, this.#user.uid, this.#user.gid);
    this.#folders.push(folder);
    return join(folder, 'data');
  }

  start(dataDir: string, args: readonly string[], environment: Environment = {}): Running {
    const running = new Running(
      [this.#node, this.#program],
      dataDir,
      args,
      environment,
      this.#user,
    );
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  run(dataDir: string, args: readonly string[], environment: Environment = {}): Promise<Ended> {
    return this.start(dataDir, args, environment).ended;
  }

  /** `airouter all`, answering. */
  async startAll(dataDir: string, environment: Environment = {}): Promise<Running> {
    const all = this.start(dataDir, ['all'], environment);
    await all.url();
    return all;
  }

  /** Ends what is left, whatever the tests did. */
  async close(): Promise<void> {
    const left = [...this.#running];
    for (const { child } of left) child.kill('SIGKILL');
    await Promise.all(left.map(({ ended }) => ended));
    for (const folder of this.#folders) {
      await endServer(join(folder, 'data'));
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** A process of the command line. */
export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(
    [node, program]: readonly [string, string],
    dataDir: string,
    args: readonly string[],
    environment: Environment,
    user: ServerUser | null,
  ) {
    this.child = spawn(node, [program, ...args], {
      cwd: tmpdir(),
      env: { PATH: process.env['PATH'], AIROUTER_DATA_DIR: dataDir, PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    });
    this.child.stdout!.setEncoding('utf8').on('data', (text) => {
      this.stdout += text;
    });
    this.child.stderr!.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    this.ended = once(this.child, 'close').then(([code]) => ({
      code: code as number | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  /** Waits for a text on either stream; a process that ends without it is an error. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const hasEnded = this.child.exitCode !== null || this.child.signalCode !== null;
      const found = pattern.exec(this.stderr) ?? pattern.exec(this.stdout);
      if (found !== null) return found;
      if (hasEnded) throw new Error(`ended without ${pattern}: ${this.stderr}`);
      await sleep(POLL_INTERVAL_MS);
    }
  }

  async url(): Promise<string> {
    return (await this.says(/AiRouter answers on (http:\S+)/))[1]!;
  }

  async ask(
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; body: string }> {
    const init =
      body === undefined
        ? { headers }
        : {
            method: 'POST',
            headers: { 'content-type': 'application/json', ...headers },
            body: JSON.stringify(body),
          };
    const response = await fetch(`${await this.url()}${path}`, init);
    return { status: response.status, body: await response.text() };
  }

  async signal(...signals: NodeJS.Signals[]): Promise<Ended> {
    for (const signal of signals) {
      this.child.kill(signal);
      // Signals of one kind that come at once are one signal to a process.
      await sleep(POLL_INTERVAL_MS);
    }
    return this.ended;
  }
}

/** The last line of standard output, which with `--json` is the answer. */
export function answerOf({ stdout }: Pick<Ended, 'stdout'>): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>;
}

/** What a user reads when a command ends: one sentence with a code of the table, nothing else. */
export function sentenceOf({ stdout, stderr }: Ended): string {
  if (stdout !== '') throw new Error(`nothing should be on standard output: ${stdout}`);
  const lines = stderr.trimEnd().split('\n');
  const said = lines.filter((line) => !line.startsWith('{') && !line.startsWith('Creating the '));
  if (said.length !== 1) throw new Error(`not one sentence: ${stderr}`);
  return said[0]!;
}

/** Process id of the embedded server of a data folder; null = none runs. */
export async function serverOf(dataDir: string): Promise<number | null> {
  return (await livePostmaster(join(dataDir, 'postgres')))?.pid ?? null;
}

/** Waits until a condition holds; the test's own time is the limit. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(POLL_INTERVAL_MS);
}

async function endServer(dataDir: string): Promise<void> {
  const pid = await serverOf(dataDir);
  if (pid === null) return;
  process.kill(pid, 'SIGQUIT');
  await until(() => !isAlive(pid));
}
