import { startByCompose } from './compose.js';
import { startKafka } from './kafka.js';
import { archiveOptions } from './kafka-archive.js';
import { fetchKafkaFiles } from './kafka-files.js';
import { JVM_OPTIONS, type ProxiedListener } from './kafka-properties.js';
import type { Lifetime } from './local-process.js';
import { JAVA_MAJOR_MIN, type Machine } from './machine.js';
import type { PlanPart, Wanted } from './plan.js';
import { startPostgres } from './postgres.js';
import type { Progress } from './progress.js';
import { startRedis } from './redis.js';
import type { Service } from './service.js';

export interface ServiceOptions {
  wanted: Wanted;
  machine: Machine;
  dir: string;
  profile: 'test' | 'bench';
  lifetime: Lifetime;
  progress: Progress;
  /** By broker: listeners for clients that go through a proxy. */
  proxied: readonly ProxiedListener[];
}

/** What cannot be had on this machine; the message says what to install. */
export class ServiceUnavailableError extends Error {
  override name = 'ServiceUnavailableError';
}

/** Starts one service as the plan says; resolves when it answers. */
export async function startService(part: PlanPart, options: ServiceOptions): Promise<Service> {
  const { wanted, machine, dir, profile, lifetime } = options;
  if (part.source === 'compose') {
    const docker = present(machine.compose, 'docker compose');
    return startByCompose({ kind: part.service, wanted, docker, dir });
  }
  switch (part.service) {
    case 'kafka':
      return startLocalKafka(options);
    case 'redis': {
      const redisServer = present(machine.redisServer, 'redis-server');
      const kind = wanted.redis === 'cluster' ? 'cluster' : 'single';
      return startRedis({ kind, dir, redisServer, lifetime });
    }
    case 'postgres': {
      const binDir = wanted.postgres === 'system' ? machine.systemPostgres : null;
      return startPostgres({ dir, binDir, isDurable: profile === 'bench', lifetime });
    }
  }
}

async function startLocalKafka(options: ServiceOptions): Promise<Service> {
  const { wanted, machine, dir, profile, lifetime, progress, proxied } = options;
  const java = present(machine.java, 'Java');
  if (java.major < JAVA_MAJOR_MIN) {
    throw new ServiceUnavailableError(
      `kafka needs Java ${JAVA_MAJOR_MIN} or newer, and ${java.path} is ${java.major}.`,
    );
  }
  const tools = { java: java.path, maven: machine.maven };
  const files = await fetchKafkaFiles(tools, machine.cacheDir, progress);
  const jvmOptions = [
    ...JVM_OPTIONS[profile === 'bench' ? 'full' : 'quick'],
    ...(await archiveOptions(files, progress)),
  ];
  return startKafka({ brokers: wanted.kafka, dir, files, jvmOptions, lifetime, proxied });
}

/** What the plan said is there, or was installed. */
function present<T>(found: T | null, name: string): T {
  if (found === null) throw new ServiceUnavailableError(`${name} is not in the PATH.`);
  return found;
}
