import { createServer } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { freePorts, isFree } from '../../ops/stack/ports.js';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

test('free ports are different ones below the ephemeral range', async () => {
  const ports = await freePorts(40);
  expect(new Set(ports).size).toBe(40);
  for (const port of ports) expect(port).toBeLessThan(32_768);
});

test.each(['127.0.0.1', '0.0.0.0', '::'])(
  'a port that is taken on %s is not free',
  async (host) => {
    const [port] = (await freePorts(1)) as [number];
    expect(await isFree(port)).toBe(true);
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
    expect(await isFree(port)).toBe(false);
  },
);
