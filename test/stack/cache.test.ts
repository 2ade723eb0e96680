import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeOnce, withLock } from '../../ops/stack/cache.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'airouter-cache-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('of many who want the same entry one makes it, and all find it complete', async () => {
  const path = join(folder, 'shared');
  let made = 0;
  const want = async () => {
    await makeOnce(path, async (scratch) => {
      made += 1;
      await mkdir(scratch);
      expect(existsSync(path)).toBe(false);
      await writeFile(join(scratch, 'a'), 'a');
    });
    return readFile(join(path, 'a'), 'utf8');
  };
  expect(await Promise.all([want(), want(), want()])).toEqual(['a', 'a', 'a']);
  expect(made).toBe(1);
});

test('a maker that fails leaves nothing, and the next one makes it', async () => {
  const path = join(folder, 'failing');
  const failing = makeOnce(path, async (scratch) => {
    await writeFile(scratch, 'half');
    throw new Error('no network');
  });
  await expect(failing).rejects.toThrow('no network');
  await makeOnce(path, (scratch) => writeFile(scratch, 'whole'));
  expect(await readFile(path, 'utf8')).toBe('whole');
  expect((await readdir(folder)).filter((name) => name.includes('failing'))).toEqual(['failing']);
});

test('what a killed maker left is removed by the next one', async () => {
  const path = join(folder, 'killed');
  await writeFile(join(folder, '.killed.part-1234'), 'half');
  await makeOnce(path, (scratch) => writeFile(scratch, 'whole'));
  expect((await readdir(folder)).filter((name) => name.includes('killed'))).toEqual(['killed']);
});

test('a lock lets one in at a time, and the next one also after a failure', async () => {
  const name = randomUUID();
  const order: string[] = [];
  const first = withLock(name, async () => {
    order.push('first in');
    await new Promise((resolve) => setImmediate(resolve));
    order.push('first out');
    throw new Error('failed');
  });
  const second = withLock(name, async () => {
    order.push('second in');
  });
  await expect(first).rejects.toThrow('failed');
  await second;
  expect(order).toEqual(['first in', 'first out', 'second in']);
});
