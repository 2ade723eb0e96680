import { createServer } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { createLoopbackHotKeys } from '../../src/hotkeys/loopback-hot-keys.js';
import { handleHotKeysCall } from '../../src/hotkeys/loopback-server.js';
import { createMemoryHotKeys } from '../../src/hotkeys/memory-hot-keys.js';
import type { HotKeys } from '../../src/hotkeys/port.js';
import { hotKeysContract } from './contract.js';
import { listen, startOwner, stop, TOKEN } from './owner-server.js';

hotKeysContract('over loopback', async () => {
  let nowMs = 0;
  const owner = await startOwner(createMemoryHotKeys({ nowMs: () => nowMs }));
  const clients: HotKeys[] = [];
  const another = (): HotKeys => {
    const client = createLoopbackHotKeys({ url: owner.url, token: TOKEN });
    clients.push(client);
    return client;
  };
  return {
    hotKeys: another(),
    another,
    age: async (ms) => {
      nowMs += ms;
    },
    close: async () => {
      for (const client of clients) await client.close();
      await owner.close();
    },
  };
});

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

it('says hot_keys_unavailable where the owner is away, and works once it is back', async () => {
  const memory = createMemoryHotKeys();
  const first = await startOwner(memory);
  await first.close();
  const client = createLoopbackHotKeys({ url: first.url, token: TOKEN });
  closing.push(() => client.close());
  await expect(client.generation()).rejects.toMatchObject({ code: 'hot_keys_unavailable' });

  const server = createServer(async (_, response) => {
    response.end(JSON.stringify(await handleHotKeysCall(memory, { op: 'generation' })));
  });
  closing.push(() => stop(server));
  const port = Number(new URL(first.url).port);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  expect(await client.generation()).toBeNull();
});

it('I12 says hot_keys_unavailable for a wrong token, and does not repeat it', async () => {
  const owner = await startOwner(createMemoryHotKeys());
  const client = createLoopbackHotKeys({ url: owner.url, token: 'a-wrong-secret' });
  closing.push(
    () => client.close(),
    () => owner.close(),
  );
  const error = await client.generation().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'hot_keys_unavailable' });
  expect(String((error as Error).message)).toContain('401');
  expect(JSON.stringify([error, String((error as Error).stack)])).not.toContain('a-wrong-secret');
});

it('gives up an owner that does not finish its answer', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200).write('{"half":');
  });
  const client = createLoopbackHotKeys({ url: await listen(server), token: TOKEN, timeoutMs: 50 });
  closing.push(
    () => client.close(),
    () => stop(server),
  );
  await expect(client.read(null)).rejects.toMatchObject({ code: 'hot_keys_unavailable' });
});

it('says hot_keys_unavailable for an answer that is not what was asked for', async () => {
  const server = createServer((_, response) => response.end('{"epoch":5}'));
  const client = createLoopbackHotKeys({ url: await listen(server), token: TOKEN });
  closing.push(
    () => client.close(),
    () => stop(server),
  );
  await expect(client.state('v1')).rejects.toMatchObject({ code: 'hot_keys_unavailable' });
});

const state = { epoch: 'e', revision: 1, writeId: 'w', lanes: { health: null, metrics: null } };
const next = { version: 1, vector: { t: [1] }, writtenAtMs: 1 };
it.each([
  [null, 'call', 'an object'],
  [[], 'call', 'an object'],
  [{ op: 'flush' }, 'op', 'read'],
  [{ op: 'state' }, 'generation', 'not empty'],
  [{ op: 'state', generation: 5 }, 'generation', 'not empty'],
  [{ op: 'read' }, 'since', 'an object'],
  [{ op: 'read', since: { generation: 'v', epoch: 'e', revision: '1' } }, 'since.revision', '>= 0'],
  [{ op: 'set_generation', next: 'v' }, 'expected', 'a string'],
  [{ op: 'write', generation: 'v', expected: { ...state, lanes: 1 } }, 'expected.lanes', 'object'],
  [{ op: 'write', generation: 'v', expected: null, write: { lane: 'x' } }, 'write.lane', 'health'],
  [
    {
      op: 'write',
      generation: 'v',
      expected: null,
      write: { lane: 'health', next: { ...next, vector: { t: [-1] } } },
    },
    'write.next.vector',
    '>= 0',
  ],
  [
    {
      op: 'write',
      generation: 'v',
      expected: null,
      write: { lane: 'health', next, values: [['health']] },
    },
    'write.values',
    'pairs',
  ],
  [
    {
      op: 'write',
      generation: 'v',
      expected: null,
      write: { lane: 'health', next, values: [], complete: 1 },
    },
    'write.complete',
    'true or false',
  ],
])('refuses the call %j, naming %s', async (call, field, rule) => {
  const error = await handleHotKeysCall(createMemoryHotKeys(), call).catch((e: unknown) => e);
  expect(error).toMatchObject({ code: 'invalid_request', field });
  expect((error as { rule: string }).rule).toContain(rule);
});
