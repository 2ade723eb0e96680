import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AiRouter, answerOf, type Running, sentenceOf } from './airouter.js';

const airouter = new AiRouter();
afterAll(() => airouter.close());

describe('airouter load', () => {
  let dataDir: string;
  let all: Running;
  beforeAll(async () => {
    dataDir = await airouter.newDataDir();
    all = await airouter.startAll(dataDir);
    expect((await airouter.run(dataDir, ['catalogue', 'import'])).code).toBe(0);
  });

  it('makes the load in full, routes as much, and sees all of it in a snapshot (I1)', async () => {
    const args = ['load', '--rate', '100', '--seconds', '3', '--route', '--seed', '7', '--json'];
    const ended = await airouter.run(dataDir, args);
    expect(ended.code).toBe(0);
    const percentiles = { p50: expect.any(Number), p99: expect.any(Number) };
    expect(answerOf(ended)).toMatchObject({
      loop: 'open',
      seed: '7',
      rate: 100,
      seconds: 3,
      outcomes: 300,
      acknowledged: 300,
      dropped: 0,
      late_ms: percentiles,
      ack_ms: percentiles,
      freshness_ms: { ...percentiles, seen: 300, unseen: 0 },
      route_ms: { ...percentiles, requests: 300, answered: 300, failed: {} },
    });
  });

  it('made again with the same seed it is another load: nothing is a duplicate (I2)', async () => {
    const args = ['load', '--rate', '100', '--seconds', '1', '--seed', '7', '--json'];
    expect((await airouter.run(dataDir, args)).code).toBe(0);
    const verified = answerOf(await airouter.run(dataDir, ['verify', '--json']));
    expect(verified).toMatchObject({ books_closed: true });
    const books = verified['partitions'] as { applied: number; duplicate: number }[];
    expect(books.reduce((sum, { applied }) => sum + applied, 0)).toBe(400);
    expect(books.every(({ duplicate }) => duplicate === 0)).toBe(true);
  });

  it('gives no answer when it is interrupted, and ends well', async () => {
    const load = airouter.start(dataDir, ['load', '--rate', '100', '--json']);
    await load.says(/Writing 100 made-up outcomes a second into airouter\.outcomes\.v1/);
    expect(await load.signal('SIGINT')).toMatchObject({ code: 130, stdout: '' });
  });

  it.each([
    [['load', '--closed-loop'], '--closed-loop must be given together with --virtual'],
    [['load', '--minutes', '2'], '--minutes must be given with --closed-loop'],
    [['load', '--rate', '0'], '--rate must be 1..100000, got 0'],
    [['load', '--route', '--url', 'x'], '--url must be an http(s) URL, got "x"'],
    [['load', '--closed-loop', '--virtual'], '--url must be given'],
    [
      ['load', '--closed-loop', '--virtual', '--rate', '5'],
      '--rate must be given without --closed-loop',
    ],
    [
      ['load', '--closed-loop', '--virtual', '--url', 'http://127.0.0.1:1'],
      '--namespace must be given: it is emptied',
    ],
  ])('%j is one sentence and exit code 2', async (args, sentence) => {
    const ended = await airouter.run(dataDir, args);
    expect(ended.code).toBe(2);
    expect(sentenceOf(ended)).toContain(`airouter: ${sentence}`);
  });

  it('a router in virtual time keeps out of the namespace of real requests', async () => {
    const environment = { REDIS_URL: 'redis://127.0.0.1:1' };
    const ended = await airouter.run(dataDir, ['route', '--virtual-seed', '1'], environment);
    expect(ended.code).toBe(2);
    expect(sentenceOf(ended)).toContain('--virtual-seed must be given with --namespace');
  });

  it('without anything that runs it says what is missing', async () => {
    expect((await all.signal('SIGTERM')).code).toBe(0);
    const ended = await airouter.run(dataDir, ['load']);
    expect(ended.code).toBe(2);
    expect(sentenceOf(ended)).toContain('start `airouter all` first');
  });
});
