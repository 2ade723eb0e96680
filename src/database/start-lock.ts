import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AiRouterError } from '../errors.js';

/** How often it is looked whether who starts the server is done. */
const RETRY_INTERVAL_MS = 20;

/**
 * Runs `start` while no other process of this machine runs it for the same data folder. The lock
 * is a listening socket without a file (Linux's abstract namespace): the kernel frees it with its
 * process, so it is never stale. Elsewhere the lock file of Postgres alone must do.
 */
export async function withStartLock<T>(
  data: string,
  timeoutMs: number,
  start: () => Promise<T>,
): Promise<T> {
  if (process.platform !== 'linux') return start();
  const lock = await acquire(data, Date.now() + timeoutMs);
  try {
    return await start();
  } finally {
    await new Promise((done) => lock.close(done));
  }
}

async function acquire(data: string, deadlineMs: number): Promise<Server> {
  const name = `\0airouter-start-${createHash('sha256').update(data).digest('hex').slice(0, 32)}`;
  while (Date.now() < deadlineMs) {
    const lock = await listen(name);
    if (lock !== null) return lock;
    await sleep(RETRY_INTERVAL_MS);
  }
  throw new AiRouterError(
    'database_unavailable',
    `Another process has been starting the embedded Postgres of ${data} for too long.`,
  );
}

/** Null where another one listens. */
function listen(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    server.listen(name, () => resolve(server));
  });
}
