import type { ISocketFactory } from 'kafkajs';
import type { Logger } from '../observe/logger.js';

/** How the brokers are reached, whoever uses them. */
export interface KafkaConnection {
  /** host:port */
  brokers: readonly string[];
  clientId: string;
  ssl: boolean;
  sasl: {
    mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    username: string;
    password: string;
  } | null;
  /** Longest wait for one answer of a broker that holds a record back until its copies are made. */
  requestTimeoutMs: number;
  logger: Pick<Logger, 'debug' | 'warn'> | null;
  /** How sockets are made; TCP or TLS without it. */
  socketFactory?: ISocketFactory;
}
