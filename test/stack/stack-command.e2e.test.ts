import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTimeOf } from '../../ops/stack/local-process.js';
import { findProgram } from '../../ops/stack/machine.js';
import { packageRoot } from '../../src/package-root.js';
import { dockerCalls, writeFakeDocker } from './fake-docker.js';

const MAIN = join(packageRoot, 'dist/ops/stack/main.js');
const environment = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
const NO_REDIS = 'redis needs redis-server in the PATH';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'airouter-stack-command-'));
});
afterEach(async () => {
  stack('down');
  await rm(dir, { recursive: true, force: true });
});

function stack(...args: string[]) {
  return stackIn(environment, ...args);
}

function stackIn(env: Record<string, string | undefined>, ...args: string[]) {
  return spawnSync(process.execPath, [MAIN, ...args, '--dir', dir], { env, encoding: 'utf8' });
}

const REDIS_ONLY = ['--brokers', '0', '--postgres', 'none', '--json'];
const hasRedis = findProgram('redis-server', process.env) !== null;

function lastJson(text: string) {
  return JSON.parse(text.trim().split('\n').at(-1) as string);
}

test('a dry run on a PATH without the programs names what to install and starts nothing', () => {
  const bare = { PATH: join(dir, 'empty'), HOME: dir };
  const { status, stdout } = stackIn(bare, 'up', '--dry-run', '--brokers', '3', '--json');
  const [kafka, redis, postgres] = lastJson(stdout).plan;
  expect(kafka.sentence).toContain('install it (apt-get install -y default-jre-headless maven)');
  expect(redis.sentence).toContain('redis-server');
  expect(postgres.source).toBe('local');
  expect(status).toBe(3);
  expect(existsSync(join(dir, 'stack.json'))).toBe(false);
});

test('up without what it needs says so in a sentence and exits 3', () => {
  const { status, stdout, stderr } = stackIn({ PATH: dir, HOME: dir }, 'up', ...REDIS_ONLY);
  expect(status).toBe(3);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^redis needs redis-server: install it .* or set REDIS_URL\.\n$/);
});

test('wrong use is said with the usage and exits 2', () => {
  expect(stack('up', '--brokers', '2')).toMatchObject({ status: 2, stdout: '' });
  expect(stack('sideways').stderr).toContain('usage: npm run stack');
});

test('a stack survives its command, is adopted by the next up, and is gone after down', (context) => {
  if (!hasRedis) context.skip(NO_REDIS);
  const first = stack('up', ...REDIS_ONLY);
  expect(first).toMatchObject({ status: 0 });
  const { REDIS_URL } = lastJson(first.stdout);
  expect(lastJson(stack('up', ...REDIS_ONLY).stdout)).toEqual({ REDIS_URL });
  const status = stack('status', '--json');
  expect(status.status).toBe(0);
  const [redis] = lastJson(status.stdout).processes;
  expect(startTimeOf(redis.pid)).not.toBeNull();
  expect(lastJson(stack('down', '--json').stdout)).toEqual({ stopped: ['redis'] });
  expect(startTimeOf(redis.pid)).toBeNull();
  expect(stack('status', '--json').status).toBe(1);
  expect(stack('up', ...REDIS_ONLY).status).toBe(0);
});

test('what a killed up left running is stopped by the next one', async (context) => {
  if (!hasRedis) context.skip(NO_REDIS);
  expect(stack('up', ...REDIS_ONLY).status).toBe(0);
  const left = lastJson(stack('status', '--json').stdout).processes[0].pid;
  await rm(join(dir, 'stack.json')); // As if `up` had been killed before it was complete.
  expect(stack('up', ...REDIS_ONLY).status).toBe(0);
  expect(startTimeOf(left)).toBeNull();
});

test('a process of the stack that died is seen by status and started anew by up', (context) => {
  if (!hasRedis) context.skip(NO_REDIS);
  stack('up', ...REDIS_ONLY);
  const { pid } = lastJson(stack('status', '--json').stdout).processes[0];
  process.kill(pid, 'SIGKILL');
  const status = stack('status', '--json');
  expect(status.status).toBe(1);
  expect(lastJson(status.stdout).processes).toEqual([{ name: 'redis', pid: null }]);
  expect(stack('up', ...REDIS_ONLY).status).toBe(0);
  expect(stack('status', '--json').status).toBe(0);
});

/** A process that holds a stack with a redis and says so; it does nothing more. */
async function startHolder(env: Record<string, string | undefined>, options: object) {
  const module = pathToFileURL(join(packageRoot, 'dist/ops/stack/stack.js'));
  const script = `
    const { startStack } = await import(${JSON.stringify(module.href)});
    await startStack({ redis: 'single', environment: process.env, ...${JSON.stringify(options)} });
    process.stdout.write('ready');
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  return holder;
}

test('the services of a test die with it, even when it is killed', async (context) => {
  if (!hasRedis) context.skip(NO_REDIS);
  const holder = await startHolder(environment, { dir });
  const { pid } = JSON.parse(await readFile(join(dir, 'redis.pid'), 'utf8'));
  expect(startTimeOf(pid)).not.toBeNull();
  holder.kill('SIGKILL');
  await expect.poll(() => startTimeOf(pid), { timeout: 60_000 }).toBeNull();
});

test('the containers of a test are removed when it is killed', async (context) => {
  if (!hasRedis) context.skip(NO_REDIS);
  const docker = await writeFakeDocker(dir);
  const PATH = `${docker}:${environment.PATH}`;
  const holder = await startHolder({ ...environment, PATH, TMPDIR: dir }, {});
  const pid = Number(readFileSync(join(dir, 'redis.container'), 'utf8'));
  holder.kill('SIGKILL');
  await expect.poll(() => startTimeOf(pid), { timeout: 60_000 }).toBeNull();
  expect((await dockerCalls(dir)).at(-1)).toBe('down --volumes --timeout 0');
});

test('up that is interrupted leaves nothing running', async (context) => {
  if (!hasRedis) context.skip(NO_REDIS);
  // A redis-server that never answers: up waits for it until it is interrupted.
  const bin = join(dir, 'bin');
  spawnSync('/bin/sh', [
    '-c',
    `mkdir -p ${bin} && printf '#!/bin/sh\\nexec sleep 600\\n' > ${bin}/redis-server && chmod +x ${bin}/redis-server`,
  ]);
  const up = spawn(process.execPath, [MAIN, 'up', ...REDIS_ONLY, '--dir', dir], {
    env: { ...environment, PATH: `${bin}:${environment.PATH}` },
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => up.once('exit', resolve));
  const pidFile = join(dir, 'redis.pid');
  await expect.poll(() => existsSync(pidFile), { timeout: 60_000 }).toBe(true);
  const { pid } = JSON.parse(readFileSync(pidFile, 'utf8'));
  up.kill('SIGINT');
  expect(await ended).toBe(130);
  expect(startTimeOf(pid)).toBeNull();
});
