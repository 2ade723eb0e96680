import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { canEnter } from '../../src/database/server-user.js';
import { packageRoot } from '../../src/package-root.js';
import { AiRouter, answerOf, serverOf } from './airouter.js';

const run = promisify(execFile);

/** By convention: a user who owns nothing. */
const NOBODY = { uid: 65534, gid: 65534 };
/** Whom root becomes; who is ordinary already stays so. */
const user = process.getuid?.() === 0 ? NOBODY : null;
const PARTS = ['package.json', 'dist', 'schemas', 'src', 'bench', 'node_modules'];

let airouter: AiRouter;
let copy: string | null = null;
beforeAll(async () => {
  if (!(await canEnter(user, packageRoot))) copy = await openCopy();
  airouter = new AiRouter(user, process.execPath, copy ?? packageRoot);
});
afterAll(async () => {
  await airouter.close();
  if (copy !== null) await rm(copy, { recursive: true, force: true });
});

/** The package where everybody can enter: root's clone may lie in a folder of root's own. */
async function openCopy(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'airouter-package-'));
  await chmod(folder, 0o755);
  const parts = PARTS.map((name) => join(packageRoot, name));
  // Links where the file system is the same.
  await run('cp', ['-al', ...parts, folder]).catch(() => run('cp', ['-a', ...parts, folder]));
  return folder;
}

it('an ordinary user runs everything in a folder of their own', async () => {
  const dataDir = await airouter.newDataDir();
  const all = await airouter.startAll(dataDir);
  const owner = (await stat(join(dataDir, 'postgres'))).uid;
  expect(owner).toBe(user?.uid ?? process.getuid?.());
  const imported = await airouter.run(dataDir, ['catalogue', 'import', '--json']);
  expect(answerOf(imported)).toMatchObject({ unchanged: 0 });
  const verified = await airouter.run(dataDir, ['verify', '--json']);
  expect(answerOf(verified)).toMatchObject({ books_closed: true });
  expect((await all.signal('SIGINT')).code).toBe(0);
  expect(await serverOf(dataDir)).toBeNull();
});
