import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  LocalProcess,
  readPidFile,
  startTimeOf,
  stopByPidFile,
} from '../../ops/stack/local-process.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'airouter-process-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const FOREVER = 'process.stdout.write("up\\n"); setInterval(() => {}, 1000);';

function nodeProcess(name: string, script: string, lifetime: 'parent' | 'detached' = 'parent') {
  return new LocalProcess(
    {
      name,
      command: process.execPath,
      args: ['-e', script],
      cwd: dir,
      logFile: join(dir, `${name}.log`),
      pidFile: join(dir, `${name}.pid`),
    },
    lifetime,
  );
}

async function untilLogged(name: string, text: string): Promise<void> {
  await expect
    .poll(() => readFileSync(join(dir, `${name}.log`), 'utf8'), { timeout: 10_000 })
    .toContain(text);
}

test('a killed process starts again under the same name with another pid', async () => {
  const one = nodeProcess('again', FOREVER);
  await one.start();
  const firstPid = one.pid;
  expect(readPidFile(join(dir, 'again.pid'))?.pid).toBe(firstPid);
  await one.kill('SIGKILL');
  expect([one.isRunning(), one.ending]).toEqual([false, 'SIGKILL']);
  expect(existsSync(join(dir, 'again.pid'))).toBe(false);
  await one.start();
  expect(one.ending).toBeNull();
  expect(one.pid).not.toBe(firstPid);
  await one.kill('SIGKILL');
});

test('a process that ends by itself is seen as ended, with how and with what it said', async () => {
  const one = nodeProcess('failing', 'console.error("no such broker"); process.exit(3)');
  await one.start();
  await one.exited();
  expect([one.isRunning(), one.ending]).toEqual([false, 'code 3']);
  expect(one.logTail()).toContain('no such broker');
});

test('a program that is not there is a process that has ended', async () => {
  const one = new LocalProcess(
    { ...nodeProcess('absent', '').spec, command: join(dir, 'no-such-program') },
    'detached',
  );
  await one.start();
  await one.exited();
  expect(one.isRunning()).toBe(false);
});

test('a process that ignores the request to end is killed after its grace', async () => {
  const one = nodeProcess('deaf', `process.on("SIGTERM", () => {}); ${FOREVER}`);
  await one.start();
  await untilLogged('deaf', 'up');
  await one.stop('SIGTERM', 50);
  expect(one.isRunning()).toBe(false);
});

test('a stopped (SIGSTOP) process can still be asked to end', async () => {
  const one = nodeProcess('frozen', `process.on("SIGTERM", () => process.exit(0)); ${FOREVER}`);
  await one.start();
  await untilLogged('frozen', 'up');
  await one.kill('SIGSTOP');
  await one.stop('SIGTERM', 60_000);
  expect(one.isRunning()).toBe(false);
});

test('a pid file ends its own process', async () => {
  const one = nodeProcess('filed', FOREVER, 'detached');
  await one.start();
  const pid = one.pid as number;
  await stopByPidFile(join(dir, 'filed.pid'), 'SIGTERM', 5000);
  await one.exited();
  expect(startTimeOf(pid)).toBeNull();
  expect(existsSync(join(dir, 'filed.pid'))).toBe(false);
});

test('a pid file whose pid belongs to a later process ends nothing', async () => {
  const bystander = nodeProcess('bystander', FOREVER);
  await bystander.start();
  const held = JSON.parse(await readFile(join(dir, 'bystander.pid'), 'utf8'));
  const path = join(dir, 'stale.pid');
  await writeFile(path, JSON.stringify({ ...held, startedAt: 'another boot/1' }));
  expect(readPidFile(path)).toBeNull();
  await stopByPidFile(path, 'SIGKILL', 0);
  expect(bystander.isRunning()).toBe(true);
  expect(existsSync(path)).toBe(false);
  await bystander.kill('SIGKILL');
});
