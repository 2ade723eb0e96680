import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findProgram } from '../../ops/stack/machine.js';
import { createProgress } from '../../ops/stack/progress.js';
import { startStack } from '../../ops/stack/stack.js';
import { dockerCalls, writeFakeDocker } from './fake-docker.js';

const hasRedis = findProgram('redis-server', process.env) !== null;
const NO_REDIS = 'redis-server is not in the PATH';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'airouter-compose-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function environmentWith(docker: string) {
  return { PATH: `${docker}:${process.env['PATH']}`, HOME: process.env['HOME'] };
}

test('where docker compose works, services are its containers, killed and removed by it', async (context) => {
  if (!hasRedis) context.skip(NO_REDIS);
  const environment = await environmentWith(await writeFakeDocker(dir));
  const stack = await startStack({ redis: 'single', environment });
  expect(stack.processes).toEqual(['redis']);
  const redis = new Redis(stack.redisUrl as string);
  redis.on('error', () => {});
  try {
    expect(await redis.set('a', '1')).toBe('OK');
    await stack.kill('redis', 'SIGKILL');
    await stack.restart('redis');
    expect(await redis.get('a')).toBeNull();
  } finally {
    redis.disconnect();
    await stack.stop();
  }
  expect((await dockerCalls(dir)).slice(2)).toEqual([
    'up --detach redis',
    'kill --signal SIGKILL redis',
    'up --detach redis',
    'down --volumes --timeout 0',
  ]);
});

test('where docker compose fails, it is said and local processes are started', async (context) => {
  if (!hasRedis) context.skip(NO_REDIS);
  const environment = await environmentWith(await writeFakeDocker(dir, true));
  const lines: string[] = [];
  const progress = createProgress((line) => lines.push(line));
  const stack = await startStack({ redis: 'single', environment, progress });
  try {
    expect(lines.join('')).toContain('docker compose did not start it');
    const redis = new Redis(stack.redisUrl as string);
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
  } finally {
    await stack.stop();
  }
});
