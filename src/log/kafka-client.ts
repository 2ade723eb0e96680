import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  type ISocketFactory,
  Kafka,
  type logCreator,
  logLevel,
  type RetryOptions,
  type SASLOptions,
} from 'kafkajs';
import Cluster from 'kafkajs/src/cluster/index.js';
import { createLogger } from 'kafkajs/src/loggers/index.js';
import type { KafkaConnection } from './kafka-connection.js';
import { repairRequestQueue } from './kafka-request-queue.js';

/** A client of its own: connections, what it knows of the cluster, and its end. */
export interface OpenKafka {
  kafka: Kafka;
  /** At once and for good: not a byte of it reaches a broker any more. */
  end(): void;
}

export interface OpenCluster {
  cluster: Cluster;
  end(): void;
}

/** Longest wait for a connection and for its login: then another broker is tried. */
const CONNECT_TIMEOUT_MS = 3_000;
/** How long leaders are taken as known; an error that says otherwise comes sooner. */
const METADATA_MAX_AGE_MS = 60_000;
/**
 * Of connecting and of metadata. Few: whoever uses a client makes a new one when it fails, and an
 * ended one, whose every try fails, must give up soon.
 */
const RETRY: RetryOptions = { initialRetryTime: 50, maxRetryTime: 1_000, retries: 4 };

/** A client through the public API of kafkajs. */
export function openKafka(connection: KafkaConnection): OpenKafka {
  repairRequestQueue(connection.logger);
  const { socketFactory, destroy } = endableSockets(connection.socketFactory ?? makeSocket);
  const kafka = new Kafka({
    ...addresses(connection),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    authenticationTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: connection.requestTimeoutMs,
    enforceRequestTimeout: true,
    retry: RETRY,
    socketFactory,
    logLevel: logLevel.WARN,
    logCreator: logsOf(connection),
  });
  return { kafka, end: destroy };
}

/** A client for single requests, without group or producer. */
export function openCluster(connection: KafkaConnection, requestTimeoutMs: number): OpenCluster {
  repairRequestQueue(connection.logger);
  const { socketFactory, destroy } = endableSockets(connection.socketFactory ?? makeSocket);
  const cluster = new Cluster({
    ...addresses(connection),
    logger: createLogger({ level: logLevel.WARN, logCreator: logsOf(connection) }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    authenticationTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: true,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    maxInFlightRequests: null,
    retry: RETRY,
    socketFactory,
  });
  return { cluster, end: destroy };
}

/** In another order each time: kafkajs begins with the first, which may be the one that hangs. */
function addresses({ brokers, clientId, ssl, sasl }: KafkaConnection) {
  const from = Math.floor(Math.random() * brokers.length);
  return {
    brokers: [...brokers.slice(from), ...brokers.slice(0, from)],
    clientId,
    ...(ssl ? { ssl: {} } : {}),
    ...(sasl === null ? {} : { sasl: sasl as SASLOptions }),
  };
}

/**
 * kafkajs calls an error what it then retries with success; what it gives up reaches the caller of
 * the request. So its own lines are for debugging.
 */
function logsOf({ logger }: KafkaConnection): logCreator {
  return () =>
    ({ namespace, log }) => {
      const { message, broker, error } = log;
      logger?.debug({ part: namespace, broker, error }, `kafkajs: ${message}`);
    };
}

/**
 * A kafkajs client that is told to disconnect waits for answers, and its retries connect again:
 * only without sockets is it sure to be silent.
 */
function endableSockets(make: ISocketFactory): {
  socketFactory: ISocketFactory;
  destroy(): void;
} {
  const sockets = new Set<Socket>();
  let isEnded = false;
  return {
    socketFactory(options) {
      if (isEnded) throw new Error('This client has ended');
      const socket = make(options);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
    destroy() {
      isEnded = true;
      for (const socket of sockets) socket.destroy(new Error('This client has ended'));
    },
  };
}

const makeSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl
    ? connectTls({ host, port, ...name, ...ssl }, onConnect)
    : connectTcp({ host, port }, onConnect);
  socket.setKeepAlive(true, 60_000);
  return socket;
};
