import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServer } from '../../src/route/server.js';

let app: FastifyInstance;
let port: number;
let answer: () => void;
let agent: Agent;
beforeEach(async () => {
  app = createServer({ error: () => {} });
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  app.get('/slow', () => answered.then(() => ({})));
  app.get('/quick', async () => ({}));
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = (app.server.address() as AddressInfo).port;
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
});
afterEach(async () => {
  agent.destroy();
  await app.close();
});

async function ask(path: string): Promise<IncomingMessage> {
  const [response] = await once(get({ host: '127.0.0.1', port, path, agent }), 'response');
  response.resume();
  await once(response, 'end');
  return response;
}

async function open(): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  return socket;
}

describe('a server that stops', () => {
  it('I11 is not held up by connections that were opened and never used', async () => {
    // Node ends them when their headers are overdue: here that is never.
    app.server.headersTimeout = 0;
    app.server.requestTimeout = 0;
    const unused = await open();
    const ended = once(unused, 'close');
    await app.close();
    await ended;
  });

  it('answers what is under way, and tells its caller to go elsewhere', async () => {
    const slow = ask('/slow');
    await once(app.server, 'request');
    const closed = app.close();
    await once(app.server, 'close', { signal: AbortSignal.timeout(400) }).catch(() => {});
    answer();
    const response = await slow;
    expect(response.statusCode).toBe(200);
    await closed;
  });

  it('answers callers who are at work once more, with the word that it closes', async () => {
    expect((await ask('/quick')).headers.connection).toBe('keep-alive');
    const closed = app.close();
    expect((await ask('/quick')).headers.connection).toBe('close');
    await closed;
  });
});
