import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Lifetime, LocalProcess } from './local-process.js';
import { freePorts } from './ports.js';
import { type Service, startWithFreePorts, until } from './service.js';

export interface RedisOptions {
  kind: 'single' | 'cluster';
  /** Data, logs and pid files stand below it. It always starts empty. */
  dir: string;
  redisServer: string;
  lifetime: Lifetime;
}

interface Node {
  port: number;
  busPort: number;
  dataDir: string;
  process: LocalProcess;
}

const MASTERS = 3;
const CLUSTER_NODES = 6;
const SLOTS = 16_384;

/** A redis-server, or a cluster of three masters with a replica each; resolves once it answers. */
export function startRedis(options: RedisOptions): Promise<Service> {
  return startWithFreePorts(async () => {
    const count = options.kind === 'cluster' ? CLUSTER_NODES : 1;
    const ports = await freePorts(count * 2);
    const nodes = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        prepareNode(index, ports[index * 2] as number, ports[index * 2 + 1] as number, options),
      ),
    );
    const processes = nodes.map((node) => node.process);
    return {
      address: nodes.map((node) => `redis://127.0.0.1:${node.port}`).join(','),
      processes,
      folders: nodes.map((node) => node.dataDir),
      stopSignal: 'SIGTERM',
      ready: options.kind === 'cluster' ? clusterReady(nodes) : () => singleReady(nodes),
    };
  });
}

async function prepareNode(
  index: number,
  port: number,
  busPort: number,
  { kind, dir, redisServer, lifetime }: RedisOptions,
): Promise<Node> {
  const name = kind === 'cluster' ? `redis-${index + 1}` : 'redis';
  const dataDir = join(dir, name);
  await rm(dataDir, { recursive: true, force: true });
  await mkdir(dataDir, { recursive: true });
  const spec = {
    name,
    command: redisServer,
    args: serverArgs(dataDir, port, kind === 'cluster' ? busPort : null),
    cwd: dataDir,
    logFile: join(dir, `${name}.log`),
    pidFile: join(dir, `${name}.pid`),
  };
  return { port, busPort, dataDir, process: new LocalProcess(spec, lifetime) };
}

function serverArgs(dataDir: string, port: number, busPort: number | null): string[] {
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
  if (busPort !== null) {
    settings['cluster-enabled'] = 'yes';
    settings['cluster-port'] = busPort;
    settings['cluster-node-timeout'] = 1000;
  }
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

function singleReady(nodes: readonly Node[]): Promise<void> {
  const processes = nodes.map((node) => node.process);
  return until('Redis', processes, async () =>
    (await askAll(nodes, ['PING'])).every((answer) => answer === 'PONG'),
  );
}

/** Forms the cluster on the first call; later ones wait until a restarted node is back in it. */
function clusterReady(nodes: readonly Node[]): () => Promise<void> {
  let isFormed = false;
  return async () => {
    await singleReady(nodes);
    if (!isFormed) await formCluster(nodes);
    isFormed = true;
    await until(
      'Redis Cluster',
      nodes.map((node) => node.process),
      () => isLinked(nodes),
    );
  };
}

async function formCluster(nodes: readonly Node[]): Promise<void> {
  const processes = nodes.map((node) => node.process);
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
    const id = String(await ask(masters[index] as Node, ['CLUSTER', 'MYID']));
    // Refused until the replica has heard of its master.
    await until('Redis Cluster', processes, async () => {
      await ask(replica, ['CLUSTER', 'REPLICATE', id]);
      return true;
    });
  }
}

/** Every node sees all slots served, and every replica has the link to its master. */
async function isLinked(nodes: readonly Node[]): Promise<boolean> {
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

function askAll(nodes: readonly Node[], command: readonly string[]): Promise<string[]> {
  return Promise.all(nodes.map(async (node) => String(await ask(node, command))));
}

async function ask(node: Node, [name, ...args]: readonly string[]): Promise<unknown> {
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
