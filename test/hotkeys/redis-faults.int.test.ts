import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../ops/stack/ports.js';
import { wallClock } from '../../src/clock.js';
import { createPoller, type HotView, type Poller } from '../../src/hotkeys/poller.js';
import { type HotKeys, type HotWrite, position } from '../../src/hotkeys/port.js';
import { createRedisHotKeys } from '../../src/hotkeys/redis-hot-keys.js';
import { createRefresher, type Refresher } from '../../src/hotkeys/refresher.js';
import { FakeSource } from './fake-source.js';
import { RecordingLogger } from './recording-logger.js';
import { noRedisServer, type RedisServer, rawClient, startRedis } from './redis-server.js';

const GEN = 'v100.7.1';
const title = `Redis faults${noRedisServer === null ? '' : ` (skipped: ${noRedisServer})`}`;

describe.skipIf(noRedisServer !== null)(title, () => {
  let server: RedisServer;
  let logger: RecordingLogger;
  let hotKeys: HotKeys;
  let source: FakeSource;
  let refresher: Refresher | null;
  let poller: Poller | null;
  let views: HotView[];

  beforeEach(async () => {
    server = await startRedis();
    logger = new RecordingLogger();
    hotKeys = createRedisHotKeys({ urls: [server.url], namespace: 'n', logger });
    source = new FakeSource(1);
    source.commit(0, ['models', 'metrics:a|x||']);
    views = [];
    refresher = null;
    poller = null;
  });
  afterEach(async () => {
    await poller?.close();
    await refresher?.close();
    await hotKeys.close();
    await server.stop();
  });

  /** A writer and a reader, as they run in the product. */
  const run = async (): Promise<void> => {
    const silent = { info: () => {}, warn: () => {} };
    const common = { hotKeys, clock: wallClock, logger: silent };
    refresher = createRefresher({ ...common, source, reconcileIntervalMs: 50 });
    const onChange = (view: HotView): void => {
      views.push(view);
    };
    poller = createPoller({ ...common, pollIntervalMs: 10, onChange });
    await sees(1);
  };
  const commit = (): void => {
    source.commit(0, ['metrics:a|x||']);
    refresher?.notify({ caughtUp: true });
  };
  const sees = async (version: number): Promise<void> => {
    const isSeen = (): boolean => {
      const lanes = views.at(-1)?.state.lanes;
      return lanes?.health?.version === version && lanes.metrics?.version === version;
    };
    await vi.waitUntil(isSeen, { timeout: 60_000, interval: 5 });
  };
  const raw = async <T>(use: (client: ReturnType<typeof rawClient>) => Promise<T>): Promise<T> => {
    const client = rawClient(server.url);
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  };
  const metrics = (
    version: number,
    values: Record<string, string>,
    complete = false,
  ): HotWrite => ({
    lane: 'metrics',
    next: { version, vector: { outcomes: [version] }, writtenAtMs: 1 },
    values: new Map(Object.entries(values)),
    complete,
  });
  const make = async (): Promise<void> => {
    await hotKeys.write(GEN, null, metrics(1, { models: 'm1' }, true));
    const health = { ...metrics(1, { health: 'h1' }, true), lane: 'health' as const };
    await hotKeys.write(GEN, await hotKeys.state(GEN), health);
    await hotKeys.setGeneration(null, GEN);
  };

  it('I7 one key evicted: the reader keeps its view, the writer writes all again', async () => {
    await run();
    const before = views.at(-1)!;
    await raw((client) => client.del(`n:ar:{${GEN}}:metrics:a|x||`));
    await vi.waitUntil(async () => !(await hotKeys.isLost(GEN)), 60_000);
    expect(await raw((client) => client.exists(`n:ar:{${GEN}}:metrics:a|x||`))).toBe(1);
    commit();
    await sees(2);
    for (const view of views) expect(view.values.has('models')).toBe(true);
    expect(views.at(-1)!.state.epoch).toBe(before.state.epoch);
  });

  it('I7 I10 FLUSHALL: the reader keeps its view until all is there again', async () => {
    await run();
    await raw((client) => client.flushall());
    commit();
    await sees(2);
    for (const view of views) {
      expect(view.values.get('health')).toBe(source.healthAt(view.state.lanes.health!.vector));
      expect(view.values.has('models')).toBe(true);
    }
    expect(views.at(-1)!.state.epoch).not.toBe(views[0]!.state.epoch);
  });

  it('I7 I10 kill -9 and back empty: nothing is lost that was notified meanwhile', async () => {
    await run();
    await server.kill();
    for (let i = 0; i < 5; i++) commit();
    await vi.waitUntil(() => logger.lines.length === 1, 60_000);
    expect(logger.lines[0]).toContain('warn Redis is lost.');
    expect(views.at(-1)!.state.lanes.metrics?.version).toBe(1);
    await server.start();
    await sees(6);
    expect(new Map(views.at(-1)!.values)).toEqual(
      source.valuesAt(source.vector).set('health', source.healthAt(source.vector)),
    );
    expect(logger.lines).toHaveLength(2);
    expect(logger.lines[1]).toContain('info Redis is connected again.');
  });

  it('I10 a Redis that was away at the start is used once it is there', async () => {
    await hotKeys.close();
    await server.kill();
    hotKeys = createRedisHotKeys({ urls: [server.url], namespace: 'n', logger });
    await expect(hotKeys.generation()).rejects.toMatchObject({
      code: 'hot_keys_unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    await server.start();
    await run();
  });

  it('logs nothing when it is closed', async () => {
    await make();
    await hotKeys.close();
    await expect(hotKeys.generation()).rejects.toMatchObject({ code: 'hot_keys_unavailable' });
    expect(logger.lines).toEqual([]);
    server.freeze();
    const connecting = createRedisHotKeys({ urls: [server.url], namespace: 'n', logger });
    await connecting.close();
    expect(logger.lines).toEqual([]);
  });

  it('rediss is TLS, and a certificate that no authority vouches for is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'airouter-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost'];
    const made = spawnSync('openssl', [...make, '-keyout', key, '-out', cert, '-days', '1']);
    expect(made.status).toBe(0);
    const port = await freePort();
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
    const secure = await startRedis(['--tls-port', String(port), ...files]);
    const urls = [`rediss://localhost:${port}`];
    const client = createRedisHotKeys({ urls, namespace: 'n', logger });
    await expect(client.generation()).rejects.toMatchObject({
      code: 'hot_keys_unavailable',
      message: expect.stringContaining('self-signed certificate'),
    });
    await client.close();
    await secure.stop();
    rmSync(folder, { recursive: true });
  });

  it('I10 I11 a frozen Redis fails each call in bounded time, and is used again afterwards', async () => {
    await make();
    server.freeze();
    for (let i = 0; i < 3; i++) {
      await expect(hotKeys.read(null)).rejects.toMatchObject({ code: 'hot_keys_unavailable' });
    }
    server.thaw();
    await vi.waitUntil(() => hotKeys.read(null).catch(() => null), 60_000);
  });

  it('out of memory: a write changes nothing at all, and works once there is memory', async () => {
    await make();
    const before = await hotKeys.read(null);
    await raw((client) => client.config('SET', 'maxmemory', '1'));
    const next = metrics(2, { models: 'm2', 'metrics:b|x||': 'b' }, true);
    const expected = await hotKeys.state(GEN);
    await expect(hotKeys.write(GEN, expected, next)).rejects.toMatchObject({
      code: 'hot_keys_unavailable',
      message: expect.stringContaining('OOM'),
    });
    expect(await hotKeys.read(null)).toEqual(before);
    await raw((client) => client.config('SET', 'maxmemory', '0'));
    expect(await hotKeys.write(GEN, expected, next)).toBe(true);
  });

  it('eviction under maxmemory: what is read is whole or said to be lost', async () => {
    await make();
    await raw((client) => client.config('SET', 'maxmemory-policy', 'allkeys-random'));
    const full = 6_000_000;
    await raw((client) => client.config('SET', 'maxmemory', String(full)));
    let lost = 0;
    for (let version = 2; version < 60; version++) {
      const values = Object.fromEntries(
        Array.from({ length: 30 }, (_, i) => [`metrics:m${i}|x||`, `${version}`.padEnd(10_000)]),
      );
      const state = await hotKeys.state(GEN);
      await hotKeys.write(GEN, state, metrics(version, { models: 'm', ...values }, true));
      await raw((client) => client.set(`filler:${version}`, 'x'.repeat(400_000)));
      const found = await hotKeys.read(null);
      if (found === null) lost++;
      else {
        expect(found.changed.size).toBe(32);
        for (let i = 0; i < 30; i++) {
          const value = found.changed.get(`metrics:m${i}|x||`)?.trim();
          expect(value).toBe(String(found.state.lanes.metrics?.version));
        }
      }
    }
    expect(lost).toBeGreaterThan(0);
  });

  it('a primary that became a replica (READONLY) fails writes, and takes them once it is one again', async () => {
    await make();
    await raw((client) => client.config('SET', 'replica-serve-stale-data', 'yes'));
    await raw((client) => client.replicaof('127.0.0.1', '1'));
    const next = metrics(2, { models: 'm2' });
    const expected = await hotKeys.state(GEN);
    await expect(hotKeys.write(GEN, expected, next)).rejects.toMatchObject({
      code: 'hot_keys_unavailable',
    });
    await raw((client) => client.replicaof('NO', 'ONE'));
    const write = () => hotKeys.write(GEN, expected, next).catch(() => false);
    await vi.waitUntil(write, 60_000);
  });

  it('a server that forgot the scripts is given them again', async () => {
    await make();
    await raw((client) => client.script('FLUSH'));
    expect(await hotKeys.read(null)).not.toBeNull();
    expect(await hotKeys.isLost(GEN)).toBe(false);
  });

  it('I7 a fail-over that loses the newest writes does not mix two histories', async () => {
    await make();
    const key = (name: string): string => `n:ar:{${GEN}}:${name}`;
    const names = ['state', 'models', 'health'];
    const replica = await raw((client) =>
      Promise.all(names.map((name) => client.dumpBuffer(key(name)))),
    );
    const stale = await hotKeys.state(GEN);
    const lostWrite = metrics(2, { models: 'lost', 'metrics:lost|x||': 'lost' });
    await hotKeys.write(GEN, stale, lostWrite);
    const reader = (await hotKeys.read(null))!;
    const expected = await hotKeys.state(GEN);

    await raw(async (client) => {
      for (const [i, dump] of replica.entries()) {
        await client.restore(key(names[i]!), 600_000, dump!, 'REPLACE');
      }
      await client.del(key('metrics:lost|x||'));
    });
    expect(await hotKeys.write(GEN, stale, metrics(3, { models: 'kept' }))).toBe(true);
    expect(await hotKeys.write(GEN, expected, metrics(9, { models: 'from lost' }))).toBe(false);
    const after = (await hotKeys.read(position(reader)))!;
    expect(after.state.revision).toBe(reader.state.revision);
    expect(after.complete).toBe(true);
    expect(Object.fromEntries(after.changed)).toEqual({ health: 'h1', models: 'kept' });
  });

  it('I12 an ACL user with the least rights is enough; a wrong password is not repeated', async () => {
    const commands =
      '+ping +info +auth +select +client|setname +eval +evalsha +get +set +mget +del +exists +pexpire ' +
      '+hget +hset +hmget +hgetall +hexists +hincrby +hdel';
    const rules = ['reset', 'on', '>p@ss:word', '~n:ar:*', ...commands.split(' ')];
    await raw((client) => client.acl('SETUSER', 'router', ...rules));
    await hotKeys.close();
    const urlOf = (password: string): string =>
      `redis://router:${encodeURIComponent(password)}@127.0.0.1:${server.port}/0`;
    hotKeys = createRedisHotKeys({ urls: [urlOf('p@ss:word')], namespace: 'n', logger });
    await make();
    expect(await hotKeys.isLost(GEN)).toBe(false);

    const secret = 'wrong-canary';
    const other = createRedisHotKeys({ urls: [urlOf(secret)], namespace: 'n', logger });
    const error = await other.generation().catch((reason: unknown) => reason);
    await other.close();
    expect(error).toMatchObject({ code: 'hot_keys_unavailable' });
    expect(`${logger.lines.join()}${(error as Error).stack}${JSON.stringify(error)}`).not.toContain(
      secret,
    );
  });

  it('I12 refuses a URL that is none, without repeating it', () => {
    for (const url of ['redis://u:canary@', 'http://u:canary@h', 'redis://u:canary@h:0x/']) {
      let message = '';
      try {
        createRedisHotKeys({ urls: [url], namespace: '', logger });
      } catch (error) {
        message = JSON.stringify([error, (error as Error).stack]);
      }
      expect(message).toContain('invalid_setting');
      expect(message).not.toContain('canary');
    }
  });
});
