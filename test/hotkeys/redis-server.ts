import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../ops/stack/ports.js';

/** Null where tests can have a Redis of their own, else why not. */
export const noRedisServer: string | null =
  spawnSync('redis-server', ['--version']).status === 0 ? null : 'redis-server is not on the PATH';

export interface RedisServer {
  port: number;
  url: string;
  start(): Promise<void>;
  /** As `kill -9`: nothing is saved. */
  kill(): Promise<void>;
  /** Answers no one, but keeps its connections. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/** A Redis on a free port, with a folder of its own and no persistence. */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'airouter-redis-'));
  let child: ChildProcess | null = null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = null;
    if (running === null || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGCONT');
    running.kill(signal);
    await gone;
  };
  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    start: async () => {
      const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
      const quiet = ['--save', '', '--appendonly', 'no', '--loglevel', 'warning'];
      child = spawn('redis-server', [...own, ...quiet, ...args], { stdio: 'ignore' });
      await answers(port, args.includes('--requirepass'));
    },
    kill: () => end('SIGKILL'),
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    stop: async () => {
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

/** A client for what tests do behind the product's back. */
export function rawClient(url: string): Redis {
  return new Redis(url, { maxRetriesPerRequest: 1, protocol: 2 });
}

async function answers(port: number, needsPassword: boolean): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1', protocol: 2, retryStrategy: () => 20 });
  client.on('error', () => {});
  if (needsPassword) await new Promise((resolve) => client.once('connect', resolve));
  else await client.ping();
  client.disconnect();
}
