import { afterAll, expect, it } from 'vitest';
import { freePort } from '../../src/database/free-port.js';
import { AiRouter, until } from './airouter.js';

const airouter = new AiRouter();
afterAll(() => airouter.close());

it('a role whose log nobody reads any more works on', async () => {
  const dataDir = await airouter.newDataDir();
  const all = await airouter.startAll(dataDir);
  const port = await freePort(0);
  const project = airouter.start(dataDir, ['project'], { AIROUTER_PROJECT_PORT: `${port}` });
  const isAlive = () =>
    fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(isAlive);
  project.child.stderr!.destroy();

  // It says that its owner is gone, and later that it folds again.
  expect((await all.signal('SIGTERM')).code).toBe(0);
  await until(async () => !(await isAlive()));
  await airouter.startAll(dataDir);
  await until(isAlive);
  expect((await project.signal('SIGTERM')).code).toBe(0);
});
