import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createServer } from '../../src/route/server.js';

let app: FastifyInstance;
let port: number;
let answer: () => void;
let agent: Agent;
let answers: number;
let connections: number;
beforeEach(async () => {
  app = createServer({ error: () => {} });
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  app.get('/slow', () => answered.then(() => ({})));
  answers = 0;
  connections = 0;
  app.server.on('connection', () => {
    connections += 1;
  });
  app.get('/quick', async () => {
    answers += 1;
    return {};
  });
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

/** One connection that is kept, on which requests follow one another until it is told to close. */
async function callInTurn(pauseMs: () => number): Promise<{ answered: number; lost: string[] }> {
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  const result = { answered: 0, lost: [] as string[] };
  for (let isTold = false; !isTold; ) {
    await sleep(pauseMs());
    try {
      const sent = get({ host: '127.0.0.1', port, path: '/quick', agent: kept });
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      result.answered += 1;
      isTold = response.headers.connection === 'close';
    } catch (error) {
      result.lost.push(String((error as NodeJS.ErrnoException).code));
      isTold = true;
    }
  }
  kept.destroy();
  return result;
}

describe('a server that stops under load', () => {
  it('resets no request of a connection that it did not say is closing', async () => {
    const callers = Array.from({ length: 64 }, (_, i) =>
      callInTurn(() => (i % 4) * 40 * Math.random()),
    );
    await until(() => connections === callers.length && answers >= 500);
    await app.close();
    const results = await Promise.all(callers);
    expect(results.flatMap(({ lost }) => lost)).toEqual([]);
    expect(results.every(({ answered }) => answered > 0)).toBe(true);
  });
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(5);
}
