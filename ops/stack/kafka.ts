import { existsSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaFiles } from './kafka-files.js';
import {
  type KafkaNode,
  metaProperties,
  type ProxiedListener,
  serverProperties,
} from './kafka-properties.js';
import { type Lifetime, LocalProcess } from './local-process.js';
import { freePorts } from './ports.js';
import {
  discardLocal,
  type Service,
  type ServiceProcess,
  startWithFreePorts,
  until,
} from './service.js';

export interface KafkaOptions {
  brokers: number;
  /** Data, logs and pid files stand below it; the data of an earlier run are kept. */
  dir: string;
  files: KafkaFiles;
  jvmOptions: readonly string[];
  lifetime: Lifetime;
  /** By broker. */
  proxied?: readonly ProxiedListener[];
}

/** Starts a cluster; resolves once every broker and the group coordinator answer. */
export function startKafka(options: KafkaOptions): Promise<Service> {
  // A cluster of another size has other quorum voters: it has data of its own.
  const dir = join(options.dir, `kafka-of-${options.brokers}`);
  return startWithFreePorts(async () => {
    const ports = await freePorts(options.brokers * 2);
    const nodes = Array.from({ length: options.brokers }, (_, index): KafkaNode => {
      const proxied = options.proxied?.[index];
      return {
        id: index + 1,
        brokerPort: ports[index * 2] as number,
        controllerPort: ports[index * 2 + 1] as number,
        ...(proxied === undefined ? {} : { proxied }),
      };
    });
    const processes = await Promise.all(
      nodes.map((node) => prepareNode(node, nodes, dir, options)),
    );
    return kafkaService(nodes, processes, () => discardLocal(processes, [dir]));
  });
}

/** The cluster of these nodes, however its processes are run. */
export function kafkaService(
  nodes: readonly KafkaNode[],
  processes: readonly ServiceProcess[],
  discard: () => Promise<void>,
): Service {
  const address = nodes.map((node) => `127.0.0.1:${node.brokerPort}`).join(',');
  return {
    address,
    processes,
    stopSignal: 'SIGTERM',
    ready: () => until('Kafka', processes, () => answers(address, nodes.length)),
    discard,
  };
}

async function prepareNode(
  node: KafkaNode,
  nodes: readonly KafkaNode[],
  clusterDir: string,
  { dir, files, jvmOptions, lifetime }: KafkaOptions,
): Promise<LocalProcess> {
  const name = `kafka-${node.id}`;
  const dataDir = join(clusterDir, name);
  const properties = join(clusterDir, `${name}.properties`);
  await formatByHand(node, dataDir, files.checkpoint);
  await writeFile(properties, serverProperties(node, nodes, dataDir));
  return new LocalProcess(
    {
      name,
      command: files.java,
      args: brokerArgs(files.classpath, jvmOptions, properties),
      cwd: dir,
      logFile: join(dir, `${name}.log`),
      pidFile: join(dir, `${name}.pid`),
    },
    lifetime,
  );
}

/** What the storage tool would do, without the two seconds of its JVM. */
async function formatByHand(node: KafkaNode, dataDir: string, checkpoint: string): Promise<void> {
  const meta = join(dataDir, 'meta.properties');
  if (existsSync(meta)) return;
  await mkdir(dataDir, { recursive: true });
  await copyFile(checkpoint, join(dataDir, 'bootstrap.checkpoint'));
  await writeFile(meta, metaProperties(node));
}

function brokerArgs(classpath: string, jvm: readonly string[], properties: string): string[] {
  const logging = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
  logging.push('-Dorg.slf4j.simpleLogger.showDateTime=true');
  const rest = ['-XX:+UseSerialGC', '-Djava.awt.headless=true', ...logging];
  return [...jvm, ...rest, '-cp', classpath, 'kafka.Kafka', properties];
}

/**
 * True once a client sees all brokers and groups have a coordinator, whose topic is made on the
 * first question. A new client each time: one that met a half-started broker remembers it.
 */
async function answers(address: string, brokers: number): Promise<boolean> {
  const client = new Kafka({
    clientId: 'airouter-stack',
    brokers: address.split(','),
    connectionTimeout: 500,
    requestTimeout: 2000,
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  });
  const admin = client.admin();
  try {
    await admin.connect();
    const cluster = await admin.describeCluster();
    if (cluster.brokers.length !== brokers) return false;
    await admin.describeGroups(['airouter-stack-probe']);
    return true;
  } finally {
    await admin.disconnect();
  }
}
