import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../ops/stack/ports.js';
import type { HotKeys } from '../../src/hotkeys/port.js';
import { createRedisHotKeys } from '../../src/hotkeys/redis-hot-keys.js';
import { hotKeysContract } from './contract.js';
import { noRedisServer, type RedisServer, rawClient, startRedis } from './redis-server.js';

const silent = { info: () => {}, warn: () => {} };
const reason =
  noRedisServer ??
  (spawnSync('redis-cli', ['--version']).status === 0 ? null : 'redis-cli is not on the PATH');

// Three masters with a replica each: three masters alone do not fail over.
describe.skipIf(reason !== null)(`Redis Cluster${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let servers: RedisServer[] = [];
  let raw: Cluster;
  const urls = (): string[] => servers.map(({ url }) => url);

  beforeAll(async () => {
    servers = await Promise.all(Array.from({ length: 6 }, startNode));
    const nodes = servers.map(({ port }) => `127.0.0.1:${port}`);
    const create = ['--cluster', 'create', ...nodes, '--cluster-replicas', '1', '--cluster-yes'];
    const made = spawnSync('redis-cli', create, { encoding: 'utf8' });
    expect(made.stdout).toContain('All 16384 slots covered');
    for (const { url } of servers) {
      const client = rawClient(url);
      await vi.waitUntil(async () => isLinked(await client.info('replication')), {
        timeout: 30_000,
      });
      client.disconnect();
    }
    raw = new Cluster(urls());
  }, 120_000);
  afterAll(async () => {
    raw?.disconnect();
    for (const server of servers) await server.stop();
  });

  hotKeysContract('in Redis Cluster', async () => {
    const namespace = `t${randomBytes(4).toString('hex')}`;
    const clients: HotKeys[] = [];
    const another = (): HotKeys => {
      const client = createRedisHotKeys({ urls: urls(), namespace, logger: silent });
      clients.push(client);
      return client;
    };
    return {
      hotKeys: another(),
      another,
      age: async (ms) => {
        for (const node of raw.nodes('master')) {
          for (const key of await node.keys(`${namespace}:*`)) {
            const left = await node.pttl(key);
            if (left >= 0) await node.pexpire(key, left - ms);
          }
        }
      },
      close: async () => {
        for (const client of clients) await client.close();
      },
    };
  });

  it('I10 the master of the keys is killed: its replica takes writes and reads', async () => {
    const hotKeys = createRedisHotKeys({ urls: urls(), namespace: 'fail', logger: silent });
    const generation = 'v1.7.1';
    const write = async (version: number): Promise<boolean> => {
      const next = { version, vector: { outcomes: [version] }, writtenAtMs: version };
      for (const [lane, key] of [
        ['metrics', 'models'],
        ['health', 'health'],
      ] as const) {
        const expected = await hotKeys.state(generation);
        const values = new Map([[key, String(version)]]);
        const complete = true;
        if (!(await hotKeys.write(generation, expected, { lane, next, values, complete }))) {
          return false;
        }
      }
      return true;
    };
    expect(await write(1)).toBe(true);
    await hotKeys.setGeneration(null, generation);
    expect((await hotKeys.read(null))?.state.lanes.health?.version).toBe(1);

    await (await masterOf(`fail:ar:{${generation}}:state`)).kill();
    await vi.waitUntil(() => write(2).catch(() => false), { timeout: 60_000, interval: 200 });
    await vi.waitUntil(
      async () => (await hotKeys.read(null).catch(() => null))?.state.lanes.health?.version === 2,
      { timeout: 60_000, interval: 200 },
    );
    await hotKeys.close();
  });

  async function masterOf(key: string): Promise<RedisServer> {
    const slot = Number(await raw.cluster('KEYSLOT', key));
    const ranges = await raw.cluster('SLOTS');
    const [, , master] = ranges.find(([from, to]) => from <= slot && slot <= to)!;
    return servers.find(({ port }) => port === master![1])!;
  }
});

async function startNode(): Promise<RedisServer> {
  const busPort = await freePort();
  const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  return startRedis([...cluster, '--cluster-node-timeout', '1000']);
}

/** A master with its replica, or a replica whose link is up. */
function isLinked(replication: string): boolean {
  return replication.includes('role:master')
    ? replication.includes('connected_slaves:1')
    : replication.includes('master_link_status:up');
}
