import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kafkaService } from './kafka.js';
import { KAFKA_VERSION } from './kafka-files.js';
import { CLUSTER_ID, type KafkaNode, serverProperties } from './kafka-properties.js';
import type { ServiceKind, Wanted } from './plan.js';
import { freePort, freePorts } from './ports.js';
import { databaseUrl, serverArgs as postgresArgs, postgresService } from './postgres.js';
import { freeNodes, nodeName, serverArgs as redisArgs, redisService } from './redis.js';
import { type Service, type ServiceProcess, startWithFreePorts } from './service.js';

export interface ComposeOptions {
  kind: ServiceKind;
  wanted: Wanted;
  /** Path of the docker client. */
  docker: string;
  /** Holds the compose file; the data are in the containers. */
  dir: string;
}

interface Container {
  image: string;
  command: readonly string[];
  environment?: Readonly<Record<string, string>>;
}

const run = promisify(execFile);
const PULL_TIMEOUT_MS = 900_000;
const DOWN = ['down', '--volumes', '--timeout', '0'];
const USER = 'airouter';

/**
 * The service as containers in the host's network, so that it has the addresses and settings of
 * the local processes. The containers are removed when `stop` is called or this process dies.
 */
export function startByCompose(options: ComposeOptions): Promise<Service> {
  return startWithFreePorts(async () => {
    const draft = await draftOf(options.kind, options.wanted);
    const project = new ComposeProject(options.docker, options.dir, draft.containers);
    await project.write();
    const processes = Object.keys(draft.containers).map((name) => project.process(name));
    return draft.service(processes, () => project.remove());
  });
}

interface Draft {
  containers: Readonly<Record<string, Container>>;
  service(processes: readonly ServiceProcess[], discard: () => Promise<void>): Service;
}

function draftOf(kind: ServiceKind, wanted: Wanted): Promise<Draft> {
  if (kind === 'kafka') return draftKafka(wanted.kafka);
  if (kind === 'redis') return draftRedis(wanted.redis === 'cluster' ? 'cluster' : 'single');
  return draftPostgres();
}

async function draftKafka(brokers: number): Promise<Draft> {
  const ports = await freePorts(brokers * 2);
  const nodes: KafkaNode[] = Array.from({ length: brokers }, (_, index) => ({
    id: index + 1,
    brokerPort: ports[index * 2] as number,
    controllerPort: ports[index * 2 + 1] as number,
  }));
  const script = `printf %s "$$PROPERTIES" > /tmp/server.properties &&
    /opt/kafka/bin/kafka-storage.sh format --ignore-formatted -t ${CLUSTER_ID} -c /tmp/server.properties &&
    exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties`;
  const containers = nodes.map((node) => [
    `kafka-${node.id}`,
    {
      image: `apache/kafka:${KAFKA_VERSION}`,
      command: ['sh', '-c', script],
      environment: {
        PROPERTIES: serverProperties(node, nodes, '/tmp/kafka-data'),
        KAFKA_HEAP_OPTS: '-Xms96m -Xmx320m',
      },
    },
  ]);
  return {
    containers: Object.fromEntries(containers),
    service: (processes, discard) => kafkaService(nodes, processes, discard),
  };
}

async function draftRedis(kind: 'single' | 'cluster'): Promise<Draft> {
  const nodes = await freeNodes(kind);
  const containers = nodes.map((node, index) => [
    nodeName(kind, index),
    { image: 'redis:8-alpine', command: ['redis-server', ...redisArgs(kind, node, '/data')] },
  ]);
  return {
    containers: Object.fromEntries(containers),
    service: (processes, discard) => redisService(kind, nodes, processes, discard),
  };
}

async function draftPostgres(): Promise<Draft> {
  const port = await freePort();
  const password = randomBytes(18).toString('base64url');
  const container: Container = {
    image: 'postgres:18-alpine',
    command: ['postgres', ...postgresArgs(port, false)],
    environment: { POSTGRES_USER: USER, POSTGRES_PASSWORD: password },
  };
  return {
    containers: { postgres: container },
    service: (processes, discard) =>
      postgresService((name) => databaseUrl(USER, password, port, name), processes, discard),
  };
}

/** One compose file; each service of it is a container that is started and killed by its name. */
class ComposeProject {
  readonly #docker: string;
  readonly #file: string;
  readonly #name = `airouter-test-${randomBytes(4).toString('hex')}`;
  readonly #containers: Readonly<Record<string, Container>>;
  readonly #running = new Set<string>();
  /** Waits for the end of this process and then removes the containers. */
  #guard: ChildProcess | null = null;

  constructor(docker: string, dir: string, containers: Readonly<Record<string, Container>>) {
    this.#docker = docker;
    this.#file = join(dir, `${this.#name}.json`);
    this.#containers = containers;
  }

  async write(): Promise<void> {
    const services = Object.entries(this.#containers).map(([name, container]) => [
      name,
      { ...container, network_mode: 'host' },
    ]);
    // JSON is YAML.
    await writeFile(this.#file, JSON.stringify({ services: Object.fromEntries(services) }));
  }

  process(name: string): ServiceProcess {
    return {
      name,
      start: async () => {
        this.#startGuard();
        await this.#compose('up', '--detach', name);
        this.#running.add(name);
      },
      isRunning: () => this.#running.has(name),
      kill: async (signal) => {
        if (!this.#running.has(name)) return;
        await this.#compose('kill', '--signal', signal, name);
        if (signal === 'SIGKILL') this.#running.delete(name);
      },
      stop: async (_signal, graceMs) => {
        await this.#compose('stop', '--timeout', String(Math.ceil(graceMs / 1000)), name);
        this.#running.delete(name);
      },
      logTail: () => `see: docker compose -p ${this.#name} logs ${name}`,
    };
  }

  /** Ends and removes all containers and their data. */
  async remove(): Promise<void> {
    await this.#compose(...DOWN);
    this.#running.clear();
    const pipe = this.#guard?.stdin;
    pipe?.on('error', () => {});
    pipe?.end('removed\n');
    this.#guard = null;
  }

  #startGuard(): void {
    if (this.#guard !== null) return;
    this.#guard = spawn(
      '/bin/sh',
      ['-c', 'read -r line || exec "$@"', 'sh', this.#docker, ...this.#arguments(), ...DOWN],
      { detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
    );
  }

  #arguments(): string[] {
    return ['compose', '--project-name', this.#name, '--file', this.#file];
  }

  async #compose(...args: string[]): Promise<void> {
    await run(this.#docker, [...this.#arguments(), ...args], { timeout: PULL_TIMEOUT_MS });
  }
}
