import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRedisHotKeys } from '../../src/hotkeys/redis-hot-keys.js';
import { packageRoot } from '../../src/package-root.js';
import { hotKeysContract } from '../hotkeys/contract.js';
import { noRedisServer, rawClient, startRedis } from '../hotkeys/redis-server.js';

const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8');
/** The commands of an access list, in order. */
const commandsOf = (text: string) =>
  [...text.matchAll(/\+[a-z]+(?:\|[a-z]+)?(?=[\s`])/g)].map(String);

const compose = commandsOf(
  /--user airouter on[^\n]*\n[^\n]*\n[^\n]*\n/.exec(read('docker-compose.yml'))![0],
);
const page = commandsOf(/user airouter on[^`]*/.exec(read('docs/deploy.md'))![0]);

test('docs/deploy.md names the Redis commands that docker-compose.yml allows', () => {
  expect(compose.length).toBeGreaterThan(10);
  expect(page).toEqual(compose);
});

const USER = ['--user', 'airouter', 'on', '>secret', '~ar:*', ...compose];
const title = `Redis with only those commands${noRedisServer === null ? '' : ` (skipped: ${noRedisServer})`}`;

/** The user of the page, on its keys alone; `default`, which nobody uses there, ages the keys. */
test.skipIf(noRedisServer !== null)(`${title}: other commands and keys are refused`, async () => {
  const server = await startRedis(USER);
  const client = rawClient(server.url.replace('redis://', 'redis://airouter:secret@'));
  await expect(client.keys('*')).rejects.toThrow(/NOPERM/);
  await expect(client.flushall()).rejects.toThrow(/NOPERM/);
  await expect(client.get('another')).rejects.toThrow(/NOPERM/);
  expect(await client.get('ar:gen')).toBeNull();
  client.disconnect();
  await server.stop();
});

if (noRedisServer === null) {
  hotKeysContract(title, async () => {
    const server = await startRedis(USER);
    const raw = rawClient(server.url);
    const url = server.url.replace('redis://', 'redis://airouter:secret@');
    const clients = new Set<ReturnType<typeof createRedisHotKeys>>();
    const another = () => {
      const client = createRedisHotKeys({ urls: [url], namespace: '', logger: silent });
      clients.add(client);
      return client;
    };
    return {
      hotKeys: another(),
      another,
      age: async (ms) => {
        for (const key of await raw.keys('ar:*')) {
          const left = await raw.pttl(key);
          if (left >= 0) await raw.pexpire(key, left - ms);
        }
      },
      close: async () => {
        for (const client of clients) await client.close();
        raw.disconnect();
        await server.stop();
      },
    };
  });
}

const silent = { info: () => {}, warn: () => {} };
