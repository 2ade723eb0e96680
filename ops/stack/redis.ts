import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Lifetime, LocalProcess } from './local-process.js';
import { freePorts } from './ports.js';
import {
  discardLocal,
  type Service,
  type ServiceProcess,
  startWithFreePorts,
  until,
} from './service.js';

export interface RedisOptions {
  kind: 'single' | 'cluster';
  /** Data, logs and pid files stand below it. It always starts empty. */
  dir: string;
  redisServer: string;
  lifetime: Lifetime;
}

export interface RedisNode {
  port: number;
  busPort: number;
}

const MASTERS = 3;
const CLUSTER_NODES = 6;
const SLOTS = 16_384;

/** A redis-server, or a cluster of three masters with a replica each; resolves once it answers. */
export function startRedis(options: RedisOptions): Promise<Service> {
  return startWithFreePorts(async () => {
    const { kind, dir, redisServer, lifetime } = options;
    const nodes = await freeNodes(kind);
    const folders = nodes.map((_, index) => join(dir, nodeName(kind, index)));
    for (const folder of folders) {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
    }
    const processes = nodes.map((node, index) => {
      const name = nodeName(kind, index);
      const folder = folders[index] as string;
      const files = { logFile: join(dir, `${name}.log`), pidFile: join(dir, `${name}.pid`) };
      const args = serverArgs(kind, node, folder);
      return new LocalProcess(
        { name, command: redisServer, args, cwd: folder, ...files },
        lifetime,
      );
    });
    return redisService(kind, nodes, processes, () => discardLocal(processes, folders));
  });
}

export async function freeNodes(kind: RedisOptions['kind']): Promise<RedisNode[]> {
  const count = kind === 'cluster' ? CLUSTER_NODES : 1;
  const ports = await freePorts(count * 2);
  return Array.from({ length: count }, (_, index) => ({
    port: ports[index * 2] as number,
    busPort: ports[index * 2 + 1] as number,
  }));
}

export function nodeName(kind: RedisOptions['kind'], index: number): string {
  return kind === 'cluster' ? `redis-${index + 1}` : 'redis';
}

/** The server or cluster of these nodes, however its processes are run. */
export function redisService(
  kind: RedisOptions['kind'],
  nodes: readonly RedisNode[],
  processes: readonly ServiceProcess[],
  discard: () => Promise<void>,
): Service {
  return {
    address: nodes.map((node) => `redis://127.0.0.1:${node.port}`).join(','),
    processes,
    stopSignal: 'SIGTERM',
    ready: kind === 'cluster' ? clusterReady(nodes, processes) : () => allAnswer(nodes, processes),
    discard,
  };
}

/** Arguments of redis-server. */
export function serverArgs(
  kind: RedisOptions['kind'],
  { port, busPort }: RedisNode,
  dataDir: string,
): string[] {
  const settings: Record<string, string | number> = {
    bind: '127.0.0.1',
    port,
    dir: dataDir,
    save: '',
    appendonly: 'no',
    maxmemory: '256mb',
    'maxmemory-policy': 'allkeys-lru',
    // Without it a replica's first copy waits five seconds for others that might want one.
    'repl-diskless-sync-delay': 0,
  };
  if (kind === 'cluster') {
    settings['cluster-enabled'] = 'yes';
    settings['cluster-port'] = busPort;
    settings['cluster-node-timeout'] = 1000;
  }
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

function allAnswer(
  nodes: readonly RedisNode[],
  processes: readonly ServiceProcess[],
): Promise<void> {
  return until('Redis', processes, async () =>
    (await askAll(nodes, ['PING'])).every((answer) => answer === 'PONG'),
  );
}

/** Forms the cluster on the first call; later ones wait until a restarted node is back in it. */
function clusterReady(
  nodes: readonly RedisNode[],
  processes: readonly ServiceProcess[],
): () => Promise<void> {
  let isFormed = false;
  return async () => {
    await allAnswer(nodes, processes);
    if (!isFormed) await formCluster(nodes, processes);
    isFormed = true;
    await until('Redis Cluster', processes, () => isLinked(nodes));
  };
}

async function formCluster(
  nodes: readonly RedisNode[],
  processes: readonly ServiceProcess[],
): Promise<void> {
  const masters = nodes.slice(0, MASTERS);
  for (const [index, master] of masters.entries()) {
    const first = Math.ceil((index * SLOTS) / MASTERS);
    const last = Math.ceil(((index + 1) * SLOTS) / MASTERS) - 1;
    await ask(master, ['CLUSTER', 'ADDSLOTSRANGE', String(first), String(last)]);
  }
  for (const [index, node] of nodes.entries()) {
    await ask(node, ['CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)]);
  }
  // Everyone meets everyone: waiting for the news to spread takes seconds.
  for (const node of nodes) {
    for (const other of nodes.filter((candidate) => candidate.port > node.port)) {
      await ask(node, ['CLUSTER', 'MEET', '127.0.0.1', String(other.port), String(other.busPort)]);
    }
  }
  for (const [index, replica] of nodes.slice(MASTERS).entries()) {
    const id = String(await ask(masters[index] as RedisNode, ['CLUSTER', 'MYID']));
    // Refused until the replica has heard of its master.
    await until('Redis Cluster', processes, async () => {
      await ask(replica, ['CLUSTER', 'REPLICATE', id]);
      return true;
    });
  }
}

/** Every node sees all slots served, and every replica has the link to its master. */
async function isLinked(nodes: readonly RedisNode[]): Promise<boolean> {
  const states = await askAll(nodes, ['CLUSTER', 'INFO']);
  if (!states.every((text) => /cluster_state:ok/.test(text))) return false;
  const known = new RegExp(`cluster_known_nodes:${nodes.length}\\b`);
  if (!states.every((text) => known.test(text))) return false;
  const roles = await askAll(nodes, ['INFO', 'replication']);
  return (
    roles.filter((text) => /role:master/.test(text)).length === MASTERS &&
    roles.every((text) => /role:master|master_link_status:up/.test(text))
  );
}

function askAll(nodes: readonly RedisNode[], command: readonly string[]): Promise<string[]> {
  return Promise.all(nodes.map(async (node) => String(await ask(node, command))));
}

async function ask(node: RedisNode, [name, ...args]: readonly string[]): Promise<unknown> {
  const redis = new Redis({
    host: '127.0.0.1',
    port: node.port,
    lazyConnect: true,
    connectTimeout: 500,
    commandTimeout: 1000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    // After a refused connection it would hold the process for two seconds.
    disconnectTimeout: 50,
  });
  redis.on('error', () => {});
  try {
    await redis.connect();
    return await redis.call(name as string, ...args);
  } finally {
    redis.disconnect();
  }
}
