import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Makes `path` once, whoever else wants it at the same time: `make` fills a scratch path beside
 * it, which takes the name only when it is complete. What a killed maker left is removed.
 */
export async function makeOnce(
  path: string,
  make: (scratch: string) => Promise<void>,
): Promise<void> {
  if (existsSync(path)) return;
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  await withLock(path, async () => {
    if (existsSync(path)) return;
    const prefix = `.${basename(path)}.part-`;
    for (const name of await readdir(folder)) {
      if (name.startsWith(prefix)) await rm(join(folder, name), { recursive: true, force: true });
    }
    const scratch = join(folder, `${prefix}${randomUUID()}`);
    try {
      await make(scratch);
      await rename(scratch, path);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
}

/**
 * Runs `work` while no other process of this machine is in a `withLock` of the same name.
 * The lock is a listening socket: the system takes it from a dead process at once.
 */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 24);
  let server = await tryListen(hash);
  while (server === null) {
    await sleep(50);
    server = await tryListen(hash);
  }
  try {
    return await work();
  } finally {
    const held = server;
    await new Promise((resolve) => held.close(resolve));
  }
}

function tryListen(hash: string): Promise<Server | null> {
  // Linux has names outside of the file system that end with their process. Elsewhere a socket
  // file of a killed process stays, so that there a port stands in for the name.
  const address =
    process.platform === 'linux'
      ? { path: `\0airouter-${process.getuid?.()}-${hash}` }
      : { port: 33_000 + (Number.parseInt(hash.slice(0, 6), 16) % 10_000), host: '127.0.0.1' };
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    server.listen({ ...address, exclusive: true }, () => resolve(server));
  });
}
