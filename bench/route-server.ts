import { createServer as createBareServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import { type FastifyInstance, fastify } from 'fastify';
import { type AccessKey, mintKey } from '../src/access/access-key.js';
import { keyAccess } from '../src/access/key-access.js';
import { KeyRing } from '../src/access/key-ring.js';
import { wallClock } from '../src/clock.js';
import { createMetrics } from '../src/observe/metrics.js';
import { createRouteApp, type RouteAppOptions, registerRouter } from '../src/route/app.js';
import { createServer } from '../src/route/server.js';
import { AS_OF, syntheticSnapshot } from './snapshot.js';

/** The servers that `route` compares, each in a process of its own so that its CPU is its own. */
export const SERVERS = ['ours', 'floor', 'peer', 'keyed', 'keyed-by-library'] as const;
export type ServerName = (typeof SERVERS)[number];

export interface ServerUsage {
  cpuSeconds: number;
  residentBytes: number;
}

/** To the parent: first the port and the key to show, then for each message its usage so far. */
export async function serveForBench(name: ServerName): Promise<void> {
  const answer = await answerOfOurs();
  const { server, key } = await listen(name, answer);
  process.send!({ port: (server.address() as AddressInfo).port, key });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const usage: ServerUsage = {
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
    };
    process.send!(usage);
  });
  process.once('disconnect', () => process.exit(0));
}

async function listen(
  name: ServerName,
  answer: Buffer,
): Promise<{ server: Server; key: string | null }> {
  if (name === 'floor') return { server: await listenBare(answer), key: null };
  const { app, key } = appOf(name, answer);
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { server: app.server, key };
}

function appOf(
  name: Exclude<ServerName, 'floor'>,
  answer: Buffer,
): { app: FastifyInstance; key: string | null } {
  switch (name) {
    case 'ours':
      return { app: ourApp(), key: null };
    case 'peer':
      return { app: peerApp(answer), key: null };
    default:
      return keyedApp(name === 'keyed-by-library');
  }
}

const silent = { info: () => {}, warn: () => {}, error: () => {} };

function ourApp() {
  return createRouteApp(routerOptions());
}

/** No caller comes near the limit: what it costs to count is what is measured. */
const PER_SECOND = 1_000_000;
const OTHER_KEYS = 1_000;

/** As `airouter route` serves: keys with a limit each, and overload shed. */
function keyedApp(isByLibrary: boolean): { app: FastifyInstance; key: string } {
  const keys = Array.from({ length: 1 + OTHER_KEYS }, () => newKey(isByLibrary));
  const access = keyAccess(new KeyRing(keys.map(({ key }) => key)), wallClock);
  const overload = { eventLoopDelayMs: 1_000, memoryBytes: 0 };
  const app = createServer(silent, isByLibrary ? {} : { overload });
  if (isByLibrary) {
    app.register(rateLimit, {
      max: PER_SECOND,
      timeWindow: 1000,
      enableDraftSpec: true,
      hook: 'preValidation',
      keyGenerator: ({ caller }) => caller?.keyId ?? '',
    });
  }
  app.register(async (within) => registerRouter(within, { ...routerOptions(), access }));
  return { app, key: keys[0]!.text };
}

function newKey(isUnlimited: boolean): { text: string; key: AccessKey } {
  const { text, id, hash } = mintKey();
  const key: AccessKey = {
    id,
    hash,
    tenant: 'bench',
    scopes: ['route'],
    createdAtMs: 0,
    expiresAtMs: null,
    revokedAtMs: null,
    requestsPerSecond: isUnlimited ? null : PER_SECOND,
  };
  return { text, key };
}

function routerOptions(): RouteAppOptions {
  const snapshot = syntheticSnapshot();
  const startedMs = Date.now();
  return {
    snapshotSource: { current: () => snapshot },
    // The clock goes on from the moment that the snapshot is of.
    clock: { nowMs: () => AS_OF * 1000 + (Date.now() - startedMs) },
    logger: silent,
    staleAfterMs: 3_600_000,
    metrics: createMetrics(),
  };
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
  const server = createBareServer((request, response) => {
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
