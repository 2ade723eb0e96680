import type { Environment } from '../stack/machine.js';
import { freePorts } from '../stack/ports.js';
import type { Progress } from '../stack/progress.js';
import { type Stack, startStack } from '../stack/stack.js';
import { FaultProxy } from './fault-proxy.js';

const BROKERS = 3;

/** Three brokers, Redis and Postgres of its own, each with a fault proxy before it. */
export interface ProxiedStack {
  /** The services themselves: for those who look on, and to kill them. */
  stack: Stack;
  /** By process: kafka-1, kafka-2, kafka-3, redis, postgres. */
  proxies: ReadonlyMap<string, FaultProxy>;
  /** For the product: its services by way of the proxies. */
  settings: Readonly<Record<'KAFKA_BROKERS' | 'REDIS_URL' | 'DATABASE_URL', string>>;
  stop(): Promise<void>;
}

/** Local processes, whatever the environment names: they are killed. */
export async function startProxiedStack(
  environment: Environment,
  progress: Progress,
): Promise<ProxiedStack> {
  const proxies = new Map<string, FaultProxy>();
  const ports = await freePorts(BROKERS * 2);
  const proxied = Array.from({ length: BROKERS }, (_, index) => ({
    port: ports[index * 2]!,
    advertisedPort: ports[index * 2 + 1]!,
  }));
  const { KAFKA_BROKERS, REDIS_URL, DATABASE_URL, ...rest } = environment;
  const wanted = { kafka: BROKERS, redis: 'single', postgres: 'embedded' } as const;
  const stack = await startStack({ ...wanted, environment: rest, progress, proxied });
  for (const [index, { port, advertisedPort }] of proxied.entries()) {
    proxies.set(`kafka-${index + 1}`, await FaultProxy.open(port, advertisedPort));
  }
  const through = async (name: string, address: string): Promise<string> => {
    const url = new URL(address);
    const proxy = await FaultProxy.open(Number(url.port));
    proxies.set(name, proxy);
    url.port = String(proxy.port);
    return url.href;
  };
  return {
    stack,
    proxies,
    settings: {
      KAFKA_BROKERS: proxied.map(({ advertisedPort }) => `127.0.0.1:${advertisedPort}`).join(','),
      REDIS_URL: await through('redis', stack.redisUrl!),
      DATABASE_URL: await through('postgres', stack.databaseUrl!),
    },
    async stop() {
      for (const proxy of proxies.values()) await proxy.close();
      await stack.stop();
    },
  };
}
