import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../../src/database/postmaster.js';
import { AiRouter, answerOf, type Running, sentenceOf, serverOf, until } from './airouter.js';

const airouter = new AiRouter();
afterAll(() => airouter.close());

async function isReady(all: Running): Promise<boolean> {
  return (await all.ask('/readyz')).status === 200;
}

/** The router knows a model some moments after the catalogue was imported. */
async function knows(all: Running, model: string): Promise<boolean> {
  return (await all.ask('/v1/route', { model })).status === 200;
}

/** The head of a request whose body never comes. */
async function openRequest(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write('POST /v1/route HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n');
  socket.write('content-length: 100\r\nexpect: 100-continue\r\n\r\n');
  await once(socket, 'data'); // It was read, and the body is asked for.
  return socket;
}

describe('airouter all', () => {
  let dataDir: string;
  let all: Running;
  beforeAll(async () => {
    dataDir = await airouter.newDataDir();
    all = await airouter.startAll(dataDir);
  });

  it('takes a catalogue and routes by it, with nothing configured', async () => {
    expect(await all.ask('/healthz')).toMatchObject({ status: 200 });
    await until(() => isReady(all));
    expect((await all.ask('/v1/route', { model: 'gpt-4o' })).status).toBe(404);
    const imported = await airouter.run(dataDir, ['catalogue', 'import', '--json']);
    expect(imported.code).toBe(0);
    expect(answerOf(imported)).toMatchObject({ unchanged: 0, retired: 0 });
    expect(answerOf(imported)['appended']).toBeGreaterThan(100);

    await until(() => knows(all, 'gpt-4o'));
    const answer = JSON.parse((await all.ask('/v1/route', { model: 'gpt-4o' })).body);
    expect(answer.candidates.length).toBeGreaterThan(1);
    expect(answer.candidates[0]).toMatchObject({ model: 'gpt-4o', rank: 0 });
  });

  it('appends nothing for a catalogue that is known (I2)', async () => {
    const again = await airouter.run(dataDir, ['catalogue', 'import', '--json']);
    expect(answerOf(again)).toMatchObject({ appended: 0, retired: 0 });
  });

  it('shows the records of a topic, one object a line', async () => {
    const { code, stdout } = await airouter.run(dataDir, ['topic', 'cat', 'catalogue']);
    expect(code).toBe(0);
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records.map(({ offset }) => offset)).toEqual(records.map((_, index) => index));
    const price = records.find(({ type }) => type === 'CataloguePrice');
    expect(price.value.tiers).toBeInstanceOf(Array);
    const last = await airouter.run(dataDir, [
      ...['topic', 'cat', 'catalogue', '--partition', '0'],
      ...['--from', `${records.length - 1}`],
    ]);
    expect(JSON.parse(last.stdout)).toEqual(records.at(-1));
  });

  it('ends in silence when the reader of its answer has had enough', async () => {
    const cat = airouter.start(dataDir, ['topic', 'cat', 'catalogue']);
    cat.child.stdout!.destroy();
    const { code, stderr } = await cat.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('has no dead letters, closed books and hot keys that match (I3, I7)', async () => {
    const letters = await airouter.run(dataDir, ['dlq', 'list', '--json']);
    expect(letters.code).toBe(0);
    expect(answerOf(letters)).toMatchObject({ dead_letters: 0, pending: 0 });
    const verified = await airouter.run(dataDir, ['verify', '--json']);
    expect(verified.code).toBe(0);
    expect(answerOf(verified)).toMatchObject({
      books_closed: true,
      checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
      hot_keys_match: true,
    });
  });

  it('is not behind its log once all is folded', async () => {
    const lag = answerOf(await airouter.run(dataDir, ['lag', '--json']));
    expect(lag).toMatchObject({ lag_records: 0, lag_ms: null });
    expect(lag['partitions']).toContainEqual(
      expect.objectContaining({ topic: 'airouter.catalogue.v1', lag_records: 0, lag_ms: null }),
    );
    const { code, stdout } = await airouter.run(dataDir, ['lag']);
    expect({ code, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({
      code: 0,
      last: 'lag: 0',
    });
  });

  it('refuses a second owner of its folder, and names itself', async () => {
    const second = await airouter.run(dataDir, ['all']);
    expect(second.code).toBe(2);
    const port = new URL(await all.url()).port;
    expect(sentenceOf(second)).toBe(
      `airouter: ${dataDir} belongs to process ${all.child.pid} on port ${port}. (already_running)`,
    );
    expect(await isReady(all)).toBe(true);
  });

  it('leaves nothing half started when its port is taken', async () => {
    const other = await airouter.newDataDir();
    const PORT = new URL(await all.url()).port;
    const ended = await airouter.run(other, ['all'], { PORT, LOG_LEVEL: 'error' });
    expect(ended.code).toBe(2);
    expect(sentenceOf(ended)).toBe(
      `airouter: PORT ${PORT} on 127.0.0.1 is taken by another process: another PORT is to be set, or 0 for any (port_in_use)`,
    );
    expect(await serverOf(other)).toBeNull();
    // Nor was a database made for nothing.
    expect(existsSync(other)).toBe(false);
  });
});

describe('the end of airouter all', () => {
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await airouter.newDataDir();
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('stops in order at %s: exit code 0', async (signal) => {
    const all = await airouter.startAll(dataDir);
    expect((await all.signal(signal)).code).toBe(0);
    expect(await serverOf(dataDir)).toBeNull();
    expect(existsSync(join(dataDir, 'owner.json'))).toBe(false);
  });

  it('lets an ingest that attached say that its log is gone, and one that is stopped end well', async () => {
    const all = await airouter.startAll(dataDir);
    const [left, stopped] = [0, 1].map(() => airouter.start(dataDir, ['ingest']));
    for (const ingest of [left!, stopped!]) await ingest.says(/takes outcomes on/);
    expect((await stopped!.signal('SIGTERM')).code).toBe(0);
    expect((await all.signal('SIGTERM')).code).toBe(0);
    const { code, stderr } = await left!.ended;
    expect(code).toBe(2);
    expect(stderr).toContain('is gone: start `airouter ingest` again after it (owner_required)');
  });

  it('ends at once at a second Ctrl-C, and its Postgres with it', async () => {
    const all = await airouter.startAll(dataDir);
    const server = (await serverOf(dataDir))!;
    // A request that never ends holds an orderly stop.
    const { port } = new URL(await all.url());
    const stuck = await openRequest(Number(port));
    const { code } = await all.signal('SIGINT', 'SIGINT');
    stuck.destroy();
    expect(code).toBe(130);
    await until(() => !isAlive(server));
  });

  it('ends in its time though a caller holds a request open', async () => {
    const all = await airouter.startAll(dataDir, { AIROUTER_SHUTDOWN_TIMEOUT_MS: '300' });
    const server = (await serverOf(dataDir))!;
    const stuck = await openRequest(Number(new URL(await all.url()).port));
    const { code, stderr } = await all.signal('SIGTERM');
    stuck.destroy();
    expect(code).toBe(0);
    expect(stderr).toContain('The stop took too long');
    await until(() => !isAlive(server));
  });

  it('starts again after kill -9 and adopts the Postgres that was left (I1)', async () => {
    const killed = await airouter.startAll(dataDir);
    const imported = await airouter.run(dataDir, ['catalogue', 'import', '--json']);
    expect(imported.code).toBe(0);
    const server = await serverOf(dataDir);
    await killed.signal('SIGKILL');
    expect(await serverOf(dataDir)).toBe(server);

    const all = await airouter.startAll(dataDir);
    expect(await serverOf(dataDir)).toBe(server);
    await until(() => knows(all, 'gpt-4o'));
    expect((await all.signal('SIGINT')).code).toBe(0);
    expect(await serverOf(dataDir)).toBeNull();
  });
});
