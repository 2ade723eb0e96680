import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { installPackages } from './install.js';
import type { ProxiedListener } from './kafka-properties.js';
import type { Lifetime } from './local-process.js';
import { type Environment, inspectMachine, type Machine } from './machine.js';
import { type PlanPart, planStack, type ServiceKind, VARIABLES, type Wanted } from './plan.js';
import { type Progress, silent } from './progress.js';
import { makeRunFolder } from './run-folder.js';
import type { Service, ServiceProcess } from './service.js';
import { ServiceUnavailableError, startService } from './start-service.js';

export interface StackOptions extends Partial<Wanted> {
  environment: Environment;
  /** `bench`: full JIT and heap for Kafka, and Postgres syncs to disk. */
  profile?: 'test' | 'bench';
  progress?: Progress;
  /** Where data and logs are kept; without it a new folder, removed by `stop`. */
  dir?: string;
  lifetime?: Lifetime;
  /** By broker: one more listener for clients that go through a proxy; local processes alone. */
  proxied?: readonly ProxiedListener[];
}

export interface Stack {
  /** As for KAFKA_BROKERS, REDIS_URL and DATABASE_URL; null = not wanted. */
  kafkaBrokers: string | null;
  redisUrl: string | null;
  databaseUrl: string | null;
  /** Names of the processes that `kill` and `restart` take: kafka-1, redis, redis-1, postgres. */
  processes: readonly string[];
  /** Resolves when the signal is sent; for SIGKILL when the process is gone. */
  kill(name: string, signal: NodeJS.Signals): Promise<void>;
  /**
   * Starts killed processes again on their ports and data; resolves when their services are whole,
   * so all killed ones of a service are named at once.
   */
  restart(...names: string[]): Promise<void>;
  /** Ends everything that was started; without a given `dir` the data are gone too. */
  stop(): Promise<void>;
}

const STOP_GRACE_MS = 15_000;
/** The workers of a killed Postgres hold its data for a moment: so often a restart is tried. */
const RESTART_TRIES = 10;

/**
 * Starts the wanted services and resolves when all of them answer. What a variable of the
 * environment names is used as it is and is not stopped. Throws `ServiceUnavailableError`.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const machine = inspectMachine(options.environment);
  const noCompose = { ...machine, compose: null };
  // Containers are for one run: data that stay, and a stack that outlives us, are local.
  const isOneRun = options.dir === undefined && options.lifetime !== 'detached';
  const isProxied = options.proxied !== undefined;
  if (machine.compose === null || !isOneRun || isProxied) return startOn(noCompose, options);
  try {
    return await startOn(machine, options);
  } catch (error) {
    options.progress?.say(`docker compose did not start it, trying local processes: ${error}`);
    return startOn(noCompose, options);
  }
}

async function startOn(found: Machine, options: StackOptions): Promise<Stack> {
  const { environment, progress = silent, profile = 'test', lifetime = 'parent' } = options;
  const wanted: Wanted = {
    kafka: options.kafka ?? 0,
    redis: options.redis ?? 'none',
    postgres: options.postgres ?? 'none',
  };
  const parts = planStack(wanted, found, environment);
  const missing = parts.filter((part) => part.source === 'unavailable');
  if (missing.length > 0) {
    throw new ServiceUnavailableError(missing.map((part) => part.sentence).join('\n'));
  }
  const packages = parts.flatMap((part) => part.packages);
  const machine = await installPackages(packages, found, environment, progress);
  const dir = options.dir ?? (await makeRunFolder());
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const services = new Map<ServiceKind, Service>();
  const stop = async () => {
    if (options.dir !== undefined) return stopInOrder([...services.values()]);
    await Promise.all([...services.values()].map((service) => service.discard()));
    await rm(dir, { recursive: true, force: true });
  };
  const { proxied = [] } = options;
  const serviceOptions = { wanted, machine, dir, profile, lifetime, progress, proxied };
  try {
    await startAll(parts, services, (part) => startService(part, serviceOptions));
  } catch (error) {
    await stop();
    throw error;
  }
  return stackOf(services, parts, environment, stop);
}

/** All at the same time; when one fails, the others are still waited for, to be stopped. */
async function startAll(
  parts: readonly PlanPart[],
  services: Map<ServiceKind, Service>,
  start: (part: PlanPart) => Promise<Service>,
): Promise<void> {
  const results = await Promise.allSettled(
    parts
      .filter((part) => part.source !== 'variable')
      .map(async (part) => services.set(part.service, await start(part))),
  );
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}

function stackOf(
  services: ReadonlyMap<ServiceKind, Service>,
  parts: readonly PlanPart[],
  environment: Environment,
  stop: () => Promise<void>,
): Stack {
  const members = [...services.values()].flatMap((service) =>
    service.processes.map((process) => ({ service, process })),
  );
  const processes = members.map(({ process }) => process.name);
  const find = (name: string) => {
    const member = members.find(({ process }) => process.name === name);
    if (member) return member;
    throw new Error(`no process ${name} was started here; there are: ${processes.join(', ')}`);
  };
  const address = (kind: ServiceKind): string | null => {
    if (!parts.some((part) => part.service === kind)) return null;
    return services.get(kind)?.address ?? environment[VARIABLES[kind]] ?? null;
  };
  return {
    kafkaBrokers: address('kafka'),
    redisUrl: address('redis'),
    databaseUrl: address('postgres'),
    processes,
    kill: async (name, signal) => find(name).process.kill(signal),
    restart: async (...names) => {
      const found = names.map(find);
      for (const service of new Set(found.map((member) => member.service))) {
        const dead = found.filter((member) => member.service === service);
        await restartProcesses(
          service,
          dead.map((member) => member.process),
        );
      }
    },
    stop,
  };
}

async function restartProcesses(service: Service, dead: readonly ServiceProcess[]): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    await Promise.all(dead.filter((one) => !one.isRunning()).map((one) => one.start()));
    try {
      return await service.ready();
    } catch (error) {
      if (dead.every((one) => one.isRunning()) || tried === RESTART_TRIES) throw error;
      await sleep(200);
    }
  }
}

/** The data are kept. */
async function stopInOrder(services: readonly Service[]): Promise<void> {
  await Promise.all(
    services.flatMap(({ processes, stopSignal }) =>
      processes.map((one) => one.stop(stopSignal, STOP_GRACE_MS)),
    ),
  );
}
