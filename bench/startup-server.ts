/**
 * `node startup-server.js ours|floor|peer`: a server that loads nothing but what it is made of. Tells its
 * parent the port, and its usage for each message.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServerUsage } from './route-server.js';

/** As long as a router's, and to be taken for one. */
const ANSWER = {
  candidates: Array.from({ length: 3 }, () => ({
    model: 'vendor/model',
    reasons: 'x'.repeat(300),
  })),
  state: { version: 21 },
};

const SERVERS: Readonly<Record<string, () => Promise<Server>>> = { ours, floor, peer };

const server = await SERVERS[process.argv[2]!]!();
process.send!({ port: (server.address() as AddressInfo).port, key: null });
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const cpuSeconds = (user + system) / 1e6;
  const usage: ServerUsage = { cpuSeconds, residentBytes: process.memoryUsage.rss() };
  process.send!(usage);
});
process.once('disconnect', () => process.exit(0));

async function ours(): Promise<Server> {
  const { createRouteApp } = await import('../src/route/app.js');
  const { AS_OF, syntheticSnapshot } = await import('./snapshot.js');
  const snapshot = syntheticSnapshot();
  const app = createRouteApp({
    snapshotSource: { current: () => snapshot },
    clock: { nowMs: () => AS_OF * 1000 },
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    staleAfterMs: 3_600_000,
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server;
}

async function floor(): Promise<Server> {
  const { createServer } = await import('node:http');
  const text = JSON.stringify(ANSWER);
  const bare = createServer((request, response) => {
    request.resume().once('end', () => response.end(text));
  });
  return new Promise((resolve) => bare.listen(0, '127.0.0.1', () => resolve(bare)));
}

async function peer(): Promise<Server> {
  const { fastify } = await import('fastify');
  const app = fastify({ logger: false });
  app.post('/v1/route', async () => ANSWER);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server;
}
