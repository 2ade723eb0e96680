import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeRunFolder } from '../../ops/stack/run-folder.js';

let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'airouter-run-'));
});
afterAll(() => rm(parent, { recursive: true, force: true }));

async function leftover(name: string, ageSeconds: number): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder);
  await writeFile(join(folder, 'owner.pid'), JSON.stringify({ pid: 1, startedAt: 'long ago' }));
  const made = Date.now() / 1000 - ageSeconds;
  await utimes(folder, made, made);
  return folder;
}

test('the folder of a killed run is removed by a later one, that of a live run is not', async () => {
  const [dead, fresh, others] = [
    await leftover('airouter-stack-dead', 3600),
    await leftover('airouter-stack-fresh', 1),
    await leftover('others-data', 3600),
  ];
  const live = await makeRunFolder(parent);
  const made = Date.now() / 1000 - 3600;
  await utimes(live, made, made);
  await makeRunFolder(parent);
  expect([dead, fresh, others, live].map((folder) => existsSync(folder))).toEqual([
    false,
    true,
    true,
    true,
  ]);
});
