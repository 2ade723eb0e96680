import { Cluster, Redis } from 'ioredis';
import { type Backoff, backoffMs } from '../backoff.js';
import { AiRouterError } from '../errors.js';
import { type Logger, reasonText, StateLog } from './state-log.js';

/** Longest wait for a connection: far above a network, below what a reader bears. */
const CONNECT_TIMEOUT_MS = 2_000;
/** Longest wait for one reply: far above the slowest script, far below what a reader bears. */
const COMMAND_TIMEOUT_MS = 2_000;
/** Soon, for hot keys are fresh within tenths of a second; not so often that logins are a load. */
const RECONNECT: Backoff = { initialMs: 100, maxMs: 2_000 };

export interface RedisClient {
  client: Redis | Cluster;
  /** Resolves once the first attempt to connect has ended, one way or the other. */
  attempted: Promise<void>;
  /** Why there is no connection; null = there is one. */
  outage(): string | null;
  close(): Promise<void>;
}

/**
 * A connection that is kept up for ever. One is enough: a process has one read and two writes in
 * flight at most. `urls`: one node, or several of a cluster; `rediss` means TLS, checked against
 * the system's authorities (`NODE_EXTRA_CA_CERTS` adds to them); user and password are an ACL
 * user's, or those of `default`; the path is the number of the database.
 */
export function createRedisClient(urls: readonly string[], logger: Logger): RedisClient {
  const nodes = urls.map(parseUrl);
  const first = nodes[0];
  if (first === undefined) throw invalidUrl('at least one URL');
  const client = nodes.length === 1 ? new Redis(singleOptions(first)) : clusterOf(nodes);
  const log = new StateLog(logger, { ok: 'Redis is connected again.', failing: 'Redis is lost.' });
  let isClosing = false;
  let reason = 'there is no connection';
  client.on('error', (error: unknown) => {
    reason = reasonText(error);
  });
  client.on('ready', () => {
    reason = 'the connection was closed';
    log.ok('redis');
  });
  client.on('close', () => {
    if (!isClosing) log.failing('redis', reason);
  });
  const attempted = client.connect().catch(() => {
    // Reported by the error event; the client goes on trying.
  });
  const close = async (): Promise<void> => {
    isClosing = true;
    client.disconnect();
    await attempted;
  };
  const outage = (): string | null => (client.status === 'ready' ? null : reason);
  return { client, attempted, outage, close };
}

interface Node {
  host: string;
  port: number;
  username: string | undefined;
  password: string | undefined;
  db: number;
  tls: boolean;
}

/** No message here holds the URL: it may hold a password. */
function parseUrl(text: string): Node {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === '') {
    throw invalidUrl('redis:// or rediss:// URLs, comma separated');
  }
  const db = url.pathname.replace(/^\//, '');
  if (!/^\d{0,5}$/.test(db)) throw invalidUrl('a URL whose path is the number of a database');
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
    db: Number(db),
    tls: url.protocol === 'rediss:',
  };
}

function invalidUrl(rule: string): AiRouterError {
  return new AiRouterError('invalid_setting', `REDIS_URL must be ${rule}`, {
    field: 'REDIS_URL',
    rule,
  });
}

/** Options of a connection to one node, on its own or in a cluster. */
function nodeOptions({ username, password, tls }: Node) {
  return {
    username,
    password,
    ...(tls ? { tls: {} } : {}),
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // Pending commands and no byte for this long: the connection is dead, though it looks open.
    socketTimeout: COMMAND_TIMEOUT_MS * 2,
    keepAlive: 10_000,
    noDelay: true,
    // What was under way when the connection broke fails: its caller begins again from the state.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // At most three commands are in flight: there is nothing to gather.
    enableAutoPipelining: false,
    // Waits until a node that was just started has loaded its data (LOADING).
    enableReadyCheck: true,
    maxLoadingRetryTime: RECONNECT.maxMs,
    protocol: 2,
    replyMapping: 'legacy',
    connectionName: 'airouter',
    disableClientInfo: true,
  } as const;
}

function singleOptions(node: Node) {
  return {
    ...nodeOptions(node),
    host: node.host,
    port: node.port,
    db: node.db,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: reconnectDelayMs,
    // A primary that became a replica: its address leads to the new one after a reconnect.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  };
}

function clusterOf(nodes: readonly Node[]): Cluster {
  const startNodes = nodes.map(({ host, port }) => ({ host, port }));
  return new Cluster(startNodes, {
    redisOptions: nodeOptions(nodes[0]!),
    lazyConnect: true,
    enableOfflineQueue: false,
    enableReadyCheck: true,
    enableAutoPipelining: false,
    // Replicas lag behind: a reader would see a state go back.
    scaleReads: 'master',
    maxRedirections: 8,
    retryDelayOnMoved: 50,
    retryDelayOnTryAgain: 100,
    retryDelayOnFailover: 200,
    retryDelayOnClusterDown: 200,
    slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
    slotsRefreshInterval: 10_000,
    clusterRetryStrategy: reconnectDelayMs,
    // Names stay names, so that TLS can check them.
    dnsLookup: (address, callback) => callback(null, address),
  });
}

function reconnectDelayMs(attempt: number): number {
  return backoffMs(attempt, RECONNECT);
}
