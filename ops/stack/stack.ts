import { mkdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRunFolder } from './cache.js';
import { installPackages } from './install.js';
import { startKafka } from './kafka.js';
import { archiveOptions } from './kafka-archive.js';
import { fetchKafkaFiles } from './kafka-files.js';
import { JVM_OPTIONS } from './kafka-properties.js';
import type { Lifetime, LocalProcess } from './local-process.js';
import { type Environment, inspectMachine, type Machine } from './machine.js';
import { type PlanPart, planStack, type ServiceKind, VARIABLES, type Wanted } from './plan.js';
import { startPostgres } from './postgres.js';
import { type Progress, silent } from './progress.js';
import { startRedis } from './redis.js';
import type { Service } from './service.js';

export interface StackOptions extends Partial<Wanted> {
  environment: Environment;
  /** `bench`: full JIT and heap for Kafka, and Postgres syncs to disk. */
  profile?: 'test' | 'bench';
  progress?: Progress;
  /** Where data and logs are kept; without it a new folder, removed by `stop`. */
  dir?: string;
  lifetime?: Lifetime;
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

/** What cannot be had on this machine; the message says what to install. */
export class ServiceUnavailableError extends Error {
  override name = 'ServiceUnavailableError';
}

const STOP_GRACE_MS = 15_000;
/** The workers of a killed Postgres hold its data for a moment: so often a restart is tried. */
const RESTART_TRIES = 10;

/**
 * Starts the wanted services and resolves when all of them answer. What a variable of the
 * environment names is used as it is and is not stopped. Throws `ServiceUnavailableError`.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { environment, progress = silent } = options;
  const wanted = wantedOf(options);
  const found = inspectMachine(environment);
  const parts = planStack(wanted, found, environment);
  const missing = parts.filter((part) => part.source === 'unavailable');
  if (missing.length > 0) {
    throw new ServiceUnavailableError(missing.map((part) => part.sentence).join('\n'));
  }
  const machine = await installPackages(parts, found, environment, progress);
  const dir = options.dir ?? (await makeRunFolder());
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const services = new Map<ServiceKind, Service>();
  const stop = async () => {
    await stopServices([...services.values()], options.dir === undefined);
    if (options.dir === undefined) await removeData([dir, ...foldersOf(services)]);
  };
  try {
    await startServices(parts, services, (kind) =>
      startService(kind, { wanted, machine, dir, progress, options }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return stackOf(services, parts, environment, stop);
}

export function wantedOf(options: Partial<Wanted>): Wanted {
  return {
    kafka: options.kafka ?? 0,
    redis: options.redis ?? 'none',
    postgres: options.postgres ?? 'none',
  };
}

/** All at the same time; when one fails, the others are still waited for, to be stopped. */
async function startServices(
  parts: readonly PlanPart[],
  services: Map<ServiceKind, Service>,
  start: (kind: ServiceKind) => Promise<Service>,
): Promise<void> {
  const local = parts.filter((part) => part.source === 'local');
  const results = await Promise.allSettled(
    local.map(async ({ service }) => services.set(service, await start(service))),
  );
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
}

interface StartContext {
  wanted: Wanted;
  machine: Machine;
  dir: string;
  progress: Progress;
  options: StackOptions;
}

async function startService(kind: ServiceKind, context: StartContext): Promise<Service> {
  const { wanted, machine, dir, progress, options } = context;
  const { lifetime = 'parent', profile = 'test' } = options;
  if (kind === 'postgres') {
    const binDir = wanted.postgres === 'system' ? machine.systemPostgres : null;
    return startPostgres({ dir, binDir, isDurable: profile === 'bench', lifetime });
  }
  if (kind === 'redis') {
    const redisServer = present(machine.redisServer, 'redis-server');
    const cluster = wanted.redis === 'cluster' ? 'cluster' : 'single';
    return startRedis({ kind: cluster, dir, redisServer, lifetime });
  }
  const java = present(machine.java, 'Java').path;
  const files = await fetchKafkaFiles({ java, maven: machine.maven }, machine.cacheDir, progress);
  const jvmOptions = [
    ...JVM_OPTIONS[profile === 'bench' ? 'full' : 'quick'],
    ...(await archiveOptions(files, progress)),
  ];
  return startKafka({ brokers: wanted.kafka, dir, files, jvmOptions, lifetime });
}

/** What the plan said is there, or was installed. */
function present<T>(found: T | null, name: string): T {
  if (found === null) throw new ServiceUnavailableError(`${name} is not in the PATH`);
  return found;
}

function stackOf(
  services: ReadonlyMap<ServiceKind, Service>,
  parts: readonly PlanPart[],
  environment: Environment,
  stop: () => Promise<void>,
): Stack {
  const all = [...services.values()];
  const find = (name: string): { service: Service; process: LocalProcess } => {
    for (const service of all) {
      const process = service.processes.find((one) => one.spec.name === name);
      if (process) return { service, process };
    }
    const names = all.flatMap((service) => service.processes.map((one) => one.spec.name));
    throw new Error(`no process ${name} was started here; there are: ${names.join(', ')}`);
  };
  const address = (kind: ServiceKind): string | null => {
    if (!parts.some((part) => part.service === kind)) return null;
    return services.get(kind)?.address ?? environment[VARIABLES[kind]] ?? null;
  };
  return {
    kafkaBrokers: address('kafka'),
    redisUrl: address('redis'),
    databaseUrl: address('postgres'),
    processes: all.flatMap((service) => service.processes.map((one) => one.spec.name)),
    kill: async (name, signal) => find(name).process.kill(signal),
    restart: async (...names) => {
      const found = names.map(find);
      for (const service of new Set(found.map((one) => one.service))) {
        const dead = found.filter((one) => one.service === service).map((one) => one.process);
        await restartProcesses(service, dead);
      }
    },
    stop,
  };
}

async function restartProcesses(service: Service, dead: readonly LocalProcess[]): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    for (const one of dead) if (!one.isRunning()) one.start();
    try {
      return await service.ready();
    } catch (error) {
      if (dead.every((one) => one.isRunning()) || tried === RESTART_TRIES) throw error;
      await sleep(200);
    }
  }
}

function foldersOf(services: ReadonlyMap<ServiceKind, Service>): string[] {
  return [...services.values()].flatMap((service) => [...service.folders]);
}

async function removeData(folders: readonly string[]): Promise<void> {
  // A killed server's workers may still write while its folder is being removed.
  for (const folder of folders) {
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

/** Data that are thrown away need no orderly end, which takes three brokers six seconds. */
async function stopServices(services: readonly Service[], isThrownAway: boolean): Promise<void> {
  await Promise.all(
    services.flatMap(({ processes, stopSignal }) =>
      processes.map((one) =>
        isThrownAway ? one.kill('SIGKILL') : one.stop(stopSignal, STOP_GRACE_MS),
      ),
    ),
  );
}
