import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { canEnter } from '../../src/database/server-user.js';
import { packageRoot } from '../../src/package-root.js';
import { AiRouter, answerOf, serverOf } from './airouter.js';

/** By convention: a user who owns nothing. */
const NOBODY = { uid: 65534, gid: 65534 };
const isRoot = process.getuid?.() === 0;
const airouter = new AiRouter(isRoot ? NOBODY : null);
afterAll(() => airouter.close());

it('an ordinary user runs everything in a folder of their own', async ({ skip }) => {
  skip(!isRoot, 'only root can become another user; the other tests are run by an ordinary one');
  skip(!(await canEnter(NOBODY, packageRoot)), `${packageRoot} is closed to other users`);
  const dataDir = await airouter.newDataDir();
  const all = await airouter.startAll(dataDir);
  expect((await stat(join(dataDir, 'postgres'))).uid).toBe(NOBODY.uid);
  const imported = await airouter.run(dataDir, ['catalogue', 'import', '--json']);
  expect(answerOf(imported)).toMatchObject({ unchanged: 0 });
  const verified = await airouter.run(dataDir, ['verify', '--json']);
  expect(answerOf(verified)).toMatchObject({ books_closed: true });
  expect((await all.signal('SIGINT')).code).toBe(0);
  expect(await serverOf(dataDir)).toBeNull();
});
