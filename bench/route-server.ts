import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { createMetrics } from '../src/observe/metrics.js';
import { createRouteApp } from '../src/route/app.js';
import { AS_OF, syntheticSnapshot } from './snapshot.js';

/** The servers that `route` compares, each in a process of its own so that its CPU is its own. */
export const SERVERS = ['ours', 'floor', 'peer'] as const;
export type ServerName = (typeof SERVERS)[number];

/** To the parent: first the port, then an answer for each message, the CPU seconds so far. */
export async function serveForBench(name: ServerName): Promise<void> {
  const answer = await answerOfOurs();
  const server = await listen(name, answer);
  process.send!({ port: (server.address() as AddressInfo).port });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send!({ cpuSeconds: (user + system) / 1e6 });
  });
  process.once('disconnect', () => process.exit(0));
}

async function listen(name: ServerName, answer: Buffer): Promise<Server> {
  if (name === 'floor') return listenBare(answer);
  const app = name === 'ours' ? ourApp() : peerApp(answer);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server;
}

const silent = { info: () => {}, warn: () => {}, error: () => {} };

function ourApp() {
  const snapshot = syntheticSnapshot();
  const startedMs = Date.now();
  return createRouteApp({
    snapshotSource: { current: () => snapshot },
    // The clock goes on from the moment that the snapshot is of.
    clock: { nowMs: () => AS_OF * 1000 + (Date.now() - startedMs) },
    logger: silent,
    staleAfterMs: 3_600_000,
    metrics: createMetrics(),
  });
}

/** A route as one writes it first: the body parsed, the same object answered. */
function peerApp(answer: Buffer) {
  const app = fastify({ logger: false });
  const value = JSON.parse(answer.toString()) as object;
  app.post('/v1/route', async () => value);
  return app;
}

function listenBare(answer: Buffer): Promise<Server> {
  const headers = { 'content-type': 'application/json', 'content-length': answer.length };
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(200, headers).end(answer));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** Everybody's answers have the size of ours. */
async function answerOfOurs(): Promise<Buffer> {
  const app = ourApp();
  const payload = { model: 'vendor/model', stream: true };
  const { statusCode, rawPayload } = await app.inject({
    method: 'POST',
    url: '/v1/route',
    payload,
  });
  if (statusCode !== 200) throw new Error(`our own answer is ${statusCode}: ${rawPayload}`);
  await app.close();
  return rawPayload;
}
