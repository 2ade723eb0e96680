import { connect, type Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';
import { inspectMachine } from '../../ops/stack/machine.js';
import { planStack } from '../../ops/stack/plan.js';
import { type Stack, startStack } from '../../ops/stack/stack.js';
import type { KafkaConnection } from '../../src/log/kafka-connection.js';

export interface Brokers {
  brokers: string[];
  stop(): Promise<void>;
}

/** What the launcher needs of the environment; a variable that names a service is left out. */
export const serviceEnvironment = Object.fromEntries(
  ['PATH', 'HOME', 'XDG_CACHE_HOME', 'JAVA_HOME'].map((name) => [name, process.env[name]]),
);

const named = process.env['TEST_KAFKA_BROKERS'] ?? '';

/** Null where tests can start brokers of their own, else why not. */
export const noBrokers: string | null =
  planStack(
    { kafka: 1, redis: 'none', postgres: 'none' },
    inspectMachine(serviceEnvironment),
    {},
  ).find(({ source }) => source === 'unavailable')?.sentence ?? null;

/** Null where there is a Kafka, named or started, else why not. */
export const noKafka: string | null = named === '' ? noBrokers : null;

/** The brokers that TEST_KAFKA_BROKERS names, or one that is started here. */
export async function anyBrokers(): Promise<Brokers> {
  if (named !== '') return { brokers: named.split(','), stop: async () => {} };
  const stack = await startBrokers(1);
  return { brokers: stack.kafkaBrokers!.split(','), stop: () => stack.stop() };
}

/** Brokers that a test may kill. */
export function startBrokers(brokers: 1 | 3): Promise<Stack> {
  return startStack({ kafka: brokers, environment: serviceEnvironment });
}

/** Sockets of one "process", which `cut` takes away from it as its death would. */
export function cuttableSockets(): { socketFactory: ISocketFactory; cut(): void } {
  const sockets = new Set<Socket>();
  let isCut = false;
  return {
    socketFactory({ host, port, onConnect }) {
      if (isCut) throw new Error('cut');
      const socket = connect({ host, port }, onConnect);
      sockets.add(socket);
      return socket;
    },
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy(new Error('cut'));
    },
  };
}

/** For clients beside the log under test. */
export function connectionTo(brokers: readonly string[]): KafkaConnection {
  return {
    brokers,
    clientId: 'test',
    ssl: false,
    sasl: null,
    requestTimeoutMs: 10_000,
    logger: null,
  };
}
