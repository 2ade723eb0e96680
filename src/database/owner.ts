import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AiRouterError } from '../errors.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { type OwnerInfo, readOwnerFile, removeOwnerFile, writeOwnerFile } from './owner-file.js';
import { type OwnerLock, ownerLockHolder, takeOwnerLock } from './owner-lock.js';

export type { OwnerInfo };

export interface Owner {
  databaseUrl: string;
  token: string;
  /** Tells commands where to attach, once the HTTP server listens. */
  publish(port: number): Promise<void>;
  /** Gives the folder up; stops Postgres, where it is the embedded one. */
  release(): Promise<void>;
}

export interface OwnerOptions {
  dataDir: string;
  namespace: string;
  /** Null = the embedded Postgres of the folder, which is started or adopted. */
  databaseUrl: string | null;
  onProgress: (line: string) => void;
  /**
   * The folder was lost to another process, and this one has to end; without a listener it does,
   * by an uncaught error.
   */
  onLost?: (error: AiRouterError) => void;
}

/** An owner that is stopping takes at most about so long. */
const HAND_OVER_MS = 15_000;
/** How often it is looked whether the owner is gone. */
const RETRY_INTERVAL_MS = 100;
/** How often a server that was lost is tried again, until it is back or the process is stopped. */
const RECOVERY_INTERVAL_MS = 500;

interface Held {
  lock: OwnerLock;
  databaseUrl: string;
  postgres: EmbeddedPostgres | null;
}

/**
 * Makes this process the owner of the data folder, as soon as an owner that is stopping is gone.
 * Throws `already_running` where another process owns it, `database_unavailable` where the
 * database cannot be reached.
 *
 * Should the database restart, or the embedded one die, the owner brings it back on the same port
 * and takes the lock again; `onLost` only if another process was faster.
 */
export async function becomeOwner(options: OwnerOptions): Promise<Owner> {
  let held = await acquire(options).catch((error: unknown) => {
    throw asFolderError(error, options.dataDir);
  });
  const { databaseUrl } = held;
  const info = {
    pid: process.pid,
    port: null,
    namespace: options.namespace,
    databaseUrl,
    token: randomBytes(32).toString('hex'),
  };
  await writeOwnerFile(options.dataDir, info);

  let isReleased = false;
  let isHeld = true;
  let recovery: Promise<void> = Promise.resolve();
  const guard = (): void => {
    held.lock.onLost(() => {
      isHeld = false;
      recovery = recover(options, held, () => isReleased).then(
        (again) => {
          if (again === null) return;
          held = again;
          isHeld = true;
          guard();
        },
        (error) => (options.onLost ?? endProcess)(error),
      );
    });
  };
  guard();
  // An end without `release`, such as a second Ctrl-C, must not leave a server behind.
  const onExit = (): void => {
    if (isHeld) held.postgres?.stopWithoutWaiting();
  };
  process.once('exit', onExit);

  return {
    databaseUrl,
    token: info.token,
    publish: (port) => writeOwnerFile(options.dataDir, { ...info, port }),
    async release() {
      if (isReleased) return;
      isReleased = true;
      await recovery;
      await removeOwnerFile(options.dataDir);
      // The lock goes last: who takes it finds no server that is about to stop.
      await held.postgres?.stop();
      process.off('exit', onExit);
      await held.lock.release();
    },
  };
}

/** The live owner of a data folder; null where there is none. */
export async function findOwner(dataDir: string): Promise<OwnerInfo | null> {
  const info = await readOwnerFile(dataDir);
  if (info === null) return null;
  try {
    const holder = await ownerLockHolder(info.databaseUrl, dataDir);
    return holder === info.pid || holder === 0 ? info : null;
  } catch {
    return null; // The database that its owner named is gone, and its owner with it.
  }
}

/** Waits where the lock is held and no owner says so: one is stopping, or about to say it. */
async function acquire(options: OwnerOptions): Promise<Held> {
  const deadlineMs = Date.now() + HAND_OVER_MS;
  for (;;) {
    const held = await tryAcquire(options).catch((error: unknown) => {
      // An embedded server that its owner has just stopped, under our hands.
      if (!isRetry(error) || options.databaseUrl !== null || Date.now() > deadlineMs) throw error;
      return null;
    });
    if (typeof held === 'object' && held !== null) return held;
    const info = await readOwnerFile(options.dataDir);
    const isNamed = info !== null && (held === 0 || held === info.pid);
    if (held !== null && (isNamed || Date.now() > deadlineMs)) {
      throw alreadyRunning(options.dataDir, held, isNamed ? info.port : null);
    }
    await sleep(RETRY_INTERVAL_MS);
  }
}

/** What was had; or the process id of the one that has it, 0 where that is hidden. */
async function tryAcquire(options: OwnerOptions, preferredPort = 0): Promise<Held | number> {
  const { dataDir, onProgress } = options;
  if (options.databaseUrl !== null) await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const postgres =
    options.databaseUrl === null
      ? await startEmbeddedPostgres({ dataDir, onProgress, preferredPort })
      : null;
  const databaseUrl = options.databaseUrl ?? postgres!.databaseUrl;
  const lock = await takeOwnerLock(databaseUrl, dataDir);
  return typeof lock === 'number' ? lock : { lock, databaseUrl, postgres };
}

/** Null = released meanwhile. The pools of this process know the old address: it must be the same. */
async function recover(
  options: OwnerOptions,
  lost: Held,
  isReleased: () => boolean,
): Promise<Held | null> {
  if (!isReleased()) options.onProgress('Postgres was lost; it is brought back.');
  for (;;) {
    if (isReleased()) return null;
    const held = await tryAcquire(options, lost.postgres?.port).catch((error: unknown) => {
      if (!isRetry(error)) throw error;
      return null;
    });
    if (typeof held === 'number') throw alreadyRunning(options.dataDir, held, null);
    if (held?.databaseUrl === lost.databaseUrl) {
      options.onProgress('Postgres is back.');
      return held;
    }
    if (held !== null) {
      await held.postgres?.stop();
      await held.lock.release();
      throw new AiRouterError(
        'database_unavailable',
        `The embedded Postgres of ${options.dataDir} died, and its port ${lost.postgres?.port} was taken by another program.`,
      );
    }
    await sleep(RECOVERY_INTERVAL_MS);
  }
}

function isRetry(error: unknown): boolean {
  return error instanceof AiRouterError && error.code === 'database_unavailable';
}

/** What the operating system says of the folder is the user's to mend. */
function asFolderError(error: unknown, dataDir: string): unknown {
  const { code, path } = error as NodeJS.ErrnoException;
  const isOurs = path?.startsWith(resolve(dataDir)) === true || path === dataDir;
  if (!(error instanceof Error) || error instanceof AiRouterError || !isOurs) return error;
  return new AiRouterError(
    'invalid_setting',
    `AIROUTER_DATA_DIR must be a folder that can be made and written to, got ${JSON.stringify(dataDir)}: ${code}`,
    { field: 'AIROUTER_DATA_DIR', rule: 'a writable folder', cause: error },
  );
}

function alreadyRunning(dataDir: string, pid: number, port: number | null): AiRouterError {
  const who = pid === 0 ? 'another process' : `process ${pid}`;
  const where = port === null ? '' : ` on port ${port}`;
  return new AiRouterError('already_running', `${dataDir} belongs to ${who}${where}.`);
}

function endProcess(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
