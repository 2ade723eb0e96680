import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AiRouter, answerOf, type Running, serverOf, until } from './airouter.js';

const airouter = new AiRouter();
afterAll(() => airouter.close());

/** Nobody listens there: only root may. */
const NOTHING = 'redis://127.0.0.1:1';

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe('the embedded Postgres, killed under airouter all', () => {
  let dataDir: string;
  let all: Running;
  beforeAll(async () => {
    dataDir = await airouter.newDataDir();
    all = await airouter.startAll(dataDir);
    expect((await airouter.run(dataDir, ['catalogue', 'import'])).code).toBe(0);
    await until(async () => (await all.ask('/v1/route', { model: 'gpt-4o' })).status === 200);
    process.kill((await serverOf(dataDir))!, 'SIGKILL');
  });

  it('does not keep the router from answering (I10)', async () => {
    expect((await all.ask('/v1/route', { model: 'gpt-4o' })).status).toBe(200);
  });

  it('is brought back, said in two lines, with all that it had acknowledged (I1)', async () => {
    await all.says(/Postgres is back/);
    expect(count(all.stderr, 'Postgres was lost; it is brought back.')).toBe(1);
    const imported = await airouter.run(dataDir, ['catalogue', 'import', '--json']);
    expect(answerOf(imported)).toMatchObject({ appended: 0 });
    const verified = await airouter.run(dataDir, ['verify', '--json']);
    expect(verified.code).toBe(0);
    expect(answerOf(verified)).toMatchObject({ books_closed: true });
  });

  it('folds again what comes: the next import reaches the router', async () => {
    const own = {
      models: [{ name: 'own-model' }],
      offerings: [{ model: 'own-model', provider: 'openai', call_as: 'own' }],
    };
    await writeFile(`${dataDir}.json`, JSON.stringify(own));
    const imported = await airouter.run(dataDir, [
      ...['catalogue', 'import', `${dataDir}.json`, '--json'],
    ]);
    expect(answerOf(imported)).toMatchObject({ appended: 2 });
    await until(async () => (await all.ask('/v1/route', { model: 'own-model' })).status === 200);
  });

  it('does not keep airouter all from stopping in order', async () => {
    expect((await all.signal('SIGINT')).code).toBe(0);
    expect(await serverOf(dataDir)).toBeNull();
  });
});

describe('a projector that attached to an owner', () => {
  it('goes on with the next owner, after a kill and after an orderly end (I1, I7)', async () => {
    const dataDir = await airouter.newDataDir();
    const first = await airouter.startAll(dataDir);
    const project = airouter.start(dataDir, ['project']);
    await project.says(/Folding into airouter_v1/);
    let owner = first;
    for (const [turn, signal] of (['SIGKILL', 'SIGTERM'] as const).entries()) {
      await owner.signal(signal);
      owner = await airouter.startAll(dataDir);
      await until(() => count(project.stderr, 'Folding into airouter_v1') === turn + 2);
      expect(count(project.stderr, 'waiting for the next one')).toBe(turn + 1);
    }
    expect((await airouter.run(dataDir, ['catalogue', 'import'])).code).toBe(0);
    await until(async () => (await owner.ask('/v1/route', { model: 'gpt-4o' })).status === 200);
    expect((await project.signal('SIGTERM')).code).toBe(0);
    expect((await owner.signal('SIGTERM')).code).toBe(0);
  });
});

describe('a Redis that is not there', () => {
  it('lets airouter all answer not_ready, and say once what it waits for (I10, I11)', async () => {
    const dataDir = await airouter.newDataDir();
    const all = await airouter.startAll(dataDir, { REDIS_URL: NOTHING });
    await all.says(/The hot keys cannot be written/);
    expect((await all.ask('/healthz')).status).toBe(200);
    for (const answer of [
      await all.ask('/readyz'),
      await all.ask('/v1/route', { model: 'gpt-4o' }),
    ]) {
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'not_ready' });
    }
    const { code, stderr } = await all.signal('SIGINT');
    expect(code).toBe(0);
    expect(count(stderr, 'Redis is lost.')).toBe(1);
    expect(count(stderr, 'The hot keys cannot be written')).toBe(1);
    expect(count(stderr, 'The hot keys cannot be read')).toBe(1);
  });

  it('lets a router of its own start, and stop in order', async () => {
    const dataDir = await airouter.newDataDir();
    const route = airouter.start(dataDir, ['route'], { REDIS_URL: NOTHING });
    expect((await route.ask('/v1/route', { model: 'gpt-4o' })).status).toBe(503);
    expect((await route.signal('SIGTERM')).code).toBe(0);
  });

  it('lets a projector fold on, with one line', async () => {
    const dataDir = await airouter.newDataDir();
    const all = await airouter.startAll(dataDir);
    const project = airouter.start(dataDir, ['project'], { REDIS_URL: NOTHING });
    await project.says(/The hot keys cannot be written/);
    expect((await airouter.run(dataDir, ['catalogue', 'import'])).code).toBe(0);
    const { code, stderr } = await project.signal('SIGINT');
    expect(code).toBe(0);
    expect(count(stderr, 'The hot keys cannot be written')).toBe(1);
    await all.signal('SIGTERM');
  });
});
