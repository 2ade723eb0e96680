import { Agent, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { createHttpCaller } from '../../src/client/http.js';

let server: Server;
afterEach(async () => {
  vi.restoreAllMocks();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function urlOf(answering: Server): Promise<string> {
  server = answering;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('survives an error of a socket between two requests, when node listens to none', async () => {
  const url = await urlOf(createServer((_, response) => void response.end('{}')));
  // Node calls this where it has taken its own listener off and not yet put the next one on.
  vi.spyOn(Agent.prototype, 'keepSocketAlive').mockImplementation((socket) => {
    socket.destroy(new Error('reset meanwhile'));
    return false as never;
  });
  const caller = createHttpCaller(url, null, 1);
  const options = { method: 'GET', path: '/', timeoutMs: 10_000 } as const;
  for (let call = 0; call < 3; call += 1) {
    expect(await caller.call(options)).toMatchObject({ status: 200, body: {} });
  }
  caller.close();
});
