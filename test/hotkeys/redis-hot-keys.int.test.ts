import { randomBytes } from 'node:crypto';
import { describe } from 'vitest';
import type { HotKeys } from '../../src/hotkeys/port.js';
import { createRedisHotKeys } from '../../src/hotkeys/redis-hot-keys.js';
import { hotKeysContract } from './contract.js';
import { noRedisServer, rawClient, startRedis } from './redis-server.js';

const given = process.env['TEST_REDIS_URL'];
const reason = given === undefined ? noRedisServer : null;

describe.skipIf(reason !== null)(`Redis${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
  hotKeysContract('in Redis', async () => {
    const server = given === undefined ? await startRedis() : null;
    const url = given ?? server!.url;
    const namespace = `t${randomBytes(4).toString('hex')}`;
    const raw = rawClient(url);
    const clients: HotKeys[] = [];
    const another = (): HotKeys => {
      const client = createRedisHotKeys({ urls: [url], namespace, logger: silent });
      clients.push(client);
      return client;
    };
    return {
      hotKeys: another(),
      another,
      age: async (ms) => {
        for (const key of await raw.keys(`${namespace}:*`)) {
          const left = await raw.pttl(key);
          if (left >= 0) await raw.pexpire(key, left - ms);
        }
      },
      close: async () => {
        for (const client of clients) await client.close();
        const keys = await raw.keys(`${namespace}:*`);
        if (keys.length > 0) await raw.del(...keys);
        raw.disconnect();
        await server?.stop();
      },
    };
  });
});

const silent = { info: () => {}, warn: () => {} };
