import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { packageRoot } from '../src/package-root.js';
import type { Bench, Contender, Contest, Size } from './contest.js';
import type { ServerName, ServerUsage } from './route-server.js';
import { MODEL, OFFERING_COUNT } from './snapshot.js';

/** `POST /v1/route` over HTTP; only the server's CPU counts, not that of whoever calls. */
export const routeBench: Bench = {
  name: 'route',
  unit: "requests per CPU second of the server's process",
  floorIs: 'node:http, the body read and left, the same bytes answered each time',
  peerIs: 'Fastify as it comes: one route without schemas that answers the same object',
  open: (size) => open(size, { ours: 'ours', floor: 'floor', peer: 'peer' }),
};

/** What it costs to know who asks, to limit them, and to shed overload. */
export const accessBench: Bench = {
  name: 'access',
  unit: "requests per CPU second of the server's process",
  floorIs: 'the same router without keys, limits and shedding',
  peerIs: 'the same router with keys, limited by @fastify/rate-limit in memory',
  open: (size) => open(size, { ours: 'keyed', floor: 'ours', peer: 'keyed-by-library' }),
};

const ROLES = ['ours', 'floor', 'peer'] as const;
type Role = (typeof ROLES)[number];

const CONNECTIONS = 32;
const BODY = JSON.stringify({ model: MODEL, stream: true });

export interface Child {
  process: ChildProcess;
  port: number;
  /** Null = it asks for none. */
  key: string | null;
  agent: Agent;
}

async function open(size: Size, names: Readonly<Record<Role, ServerName>>): Promise<Contest> {
  const count = size === 'full' ? 8_000 : 100;
  const children = new Map<Role, Child>();
  const close = async (): Promise<void> => {
    for (const child of children.values()) await stop(child);
  };
  try {
    for (const role of ROLES) children.set(role, await start(names[role]));
    const answer = await checkAnswers(children);
    const contender = (role: Role): Contender => {
      const child = children.get(role)!;
      return async () => {
        const before = await cpuSeconds(child);
        await callMany(child, count);
        return { units: count, cpuSeconds: (await cpuSeconds(child)) - before };
      };
    };
    return {
      ours: contender('ours'),
      floor: contender('floor'),
      peer: contender('peer'),
      answer,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function start(name: ServerName): Promise<Child> {
  return startServer('main.js', 'serve-for-bench', name);
}

/** A program of this folder that serves. */
export async function startServer(program: string, ...args: string[]): Promise<Child> {
  const child = fork(join(packageRoot, 'dist/bench', program), args);
  const [{ port, key }] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() =>
      Promise.reject(new Error(`the server ${args.join(' ')} did not start`)),
    ),
  ])) as [{ port: number; key: string | null }];
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  return { process: child, port, key, agent };
}

export async function stop({ process: child, agent }: Child): Promise<void> {
  agent.destroy();
  child.disconnect();
  await once(child, 'exit');
}

/** Ours answers 200 with ranked offerings of the catalogue, the others as many bytes. */
async function checkAnswers(children: ReadonlyMap<Role, Child>): Promise<string> {
  const texts = await Promise.all(ROLES.map((role) => call(children.get(role)!)));
  const sizes = texts.map((text) => text.length);
  requireRouter(texts[0]!);
  const [ours = 0, floor = 0, peer = 0] = sizes;
  if (Math.abs(ours - floor) > 100 || Math.abs(floor - peer) > 100) {
    throw new Error(`answers of ${sizes.join(', ')} bytes cannot be compared`);
  }
  return `3 of ${OFFERING_COUNT} offerings ranked, in about ${floor - (floor % 100)} bytes`;
}

/** Throws where an answer is none that a router gives. */
export function requireRouter(text: string): void {
  const { candidates, state } = JSON.parse(text);
  if (candidates.length === 3 && candidates[0].model === MODEL && state.version === 21) return;
  throw new Error(`not the answer of a router: ${text}`);
}

async function callMany(child: Child, count: number): Promise<void> {
  let left = count;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await call(child);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, caller));
}

export function call({ port, key, agent }: Child): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      'content-length': BODY.length,
      ...(key !== null && { authorization: `Bearer ${key}` }),
    };
    const options = { agent, port, host: '127.0.0.1', path: '/v1/route', method: 'POST', headers };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`answered ${response.statusCode}: ${text}`));
      });
    });
    sent.once('error', reject);
    sent.end(BODY);
  });
}

async function cpuSeconds(child: Child): Promise<number> {
  return (await usageOf(child)).cpuSeconds;
}

/** CPU since its process began, and what it has resident. */
export async function usageOf({ process: child }: Child): Promise<ServerUsage> {
  child.send('usage');
  const [usage] = (await once(child, 'message')) as [ServerUsage];
  return usage;
}
