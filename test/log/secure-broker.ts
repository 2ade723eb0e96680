import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { archiveOptions } from '../../ops/stack/kafka-archive.js';
import { fetchKafkaFiles } from '../../ops/stack/kafka-files.js';
import { CLUSTER_ID, JVM_OPTIONS, serverProperties } from '../../ops/stack/kafka-properties.js';
import { LocalProcess } from '../../ops/stack/local-process.js';
import { inspectMachine } from '../../ops/stack/machine.js';
import { freePorts } from '../../ops/stack/ports.js';
import { createProgress } from '../../ops/stack/progress.js';
import { startWithFreePorts, until } from '../../ops/stack/service.js';
import { openKafka } from '../../src/log/kafka-client.js';
import type { Certificate } from '../database/tls-server.js';
import { connectionTo } from './kafka-brokers.js';

export interface SecureBroker {
  /** host:port of the only listener for clients from elsewhere: TLS, and SASL in it. */
  brokers: string;
  stop(): Promise<void>;
}

const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule';
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule';

/**
 * A broker whose users come by TLS and name themselves by PLAIN or SCRAM-SHA-512, and may do
 * nothing unless they are `user`. The listener without TLS is the broker's own.
 */
export async function startSecureBroker(
  certificate: Certificate,
  user: { name: string; password: string },
): Promise<SecureBroker> {
  const machine = inspectMachine(process.env);
  const silent = createProgress(() => {});
  const tools = { java: machine.java!.path, maven: machine.maven };
  const files = await fetchKafkaFiles(tools, machine.cacheDir, silent);
  const jvm = [...JVM_OPTIONS.quick, ...(await archiveOptions(files, silent))];
  const dir = mkdtempSync(join(tmpdir(), 'airouter-secure-kafka-'));
  let port = 0;
  const service = await startWithFreePorts(async () => {
    const [own, controller, secure] = (await freePorts(3)) as [number, number, number];
    port = secure;
    const node = { id: 1, brokerPort: own, controllerPort: controller };
    const properties = join(dir, `server-${secure}.properties`);
    const dataDir = join(dir, `data-${secure}`);
    // Of two lines with one name the last one counts.
    const secured = Object.entries(securityOf(node, secure, certificate, user));
    const lines = secured.map(([name, value]) => `${name}=${value}\n`).join('');
    writeFileSync(properties, serverProperties(node, [node], dataDir) + lines);
    const java = (program: string, ...args: string[]): string[] => [
      ...jvm,
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      ...['-cp', files.classpath, program, ...args],
    ];
    // A user of SCRAM is a record of the cluster; the first ones come with the formatting.
    const scram = `SCRAM-SHA-512=[name=${user.name},password=${user.password}]`;
    const format = ['format', '-t', CLUSTER_ID, '-c', properties, '--add-scram', scram];
    await promisify(execFile)(files.java, java('kafka.tools.StorageTool', ...format));
    const process = new LocalProcess(
      {
        name: 'secure-kafka',
        command: files.java,
        args: java('kafka.Kafka', properties),
        cwd: dir,
        logFile: join(dir, 'kafka.log'),
        pidFile: join(dir, 'kafka.pid'),
      },
      'parent',
    );
    return {
      address: `127.0.0.1:${own}`,
      processes: [process],
      stopSignal: 'SIGTERM',
      ready: () => until('Kafka', [process], () => answers(`127.0.0.1:${own}`)),
      discard: () => process.kill('SIGKILL'),
    };
  });
  return {
    brokers: `localhost:${port}`,
    async stop() {
      await service.discard();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function securityOf(
  { brokerPort, controllerPort }: { brokerPort: number; controllerPort: number },
  port: number,
  certificate: Certificate,
  user: { name: string; password: string },
): Record<string, string> {
  const listener = 'listener.name.secure';
  return {
    listeners: `PLAINTEXT://127.0.0.1:${brokerPort},CONTROLLER://127.0.0.1:${controllerPort},SECURE://127.0.0.1:${port}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${brokerPort},SECURE://localhost:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL',
    [`${listener}.ssl.keystore.type`]: 'PEM',
    [`${listener}.ssl.keystore.certificate.chain`]: inOneLine(certificate.certificateFile),
    [`${listener}.ssl.keystore.key`]: inOneLine(certificate.keyFile),
    [`${listener}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-512',
    [`${listener}.plain.sasl.jaas.config`]: `${PLAIN} required user_${user.name}="${user.password}";`,
    [`${listener}.scram-sha-512.sasl.jaas.config`]: `${SCRAM} required;`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': `User:ANONYMOUS;User:${user.name}`,
  };
}

/** A PEM file as the value of a property. */
const inOneLine = (file: string): string =>
  readFileSync(file, 'utf8').trim().split('\n').join('\\n');

async function answers(brokers: string): Promise<boolean> {
  const { kafka, end } = openKafka(connectionTo([brokers]));
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.describeGroups(['airouter-test-probe']);
    return true;
  } finally {
    end();
  }
}
