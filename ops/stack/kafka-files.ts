import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeOnce } from './cache.js';
import { CLUSTER_ID, serverProperties } from './kafka-properties.js';
import type { Progress } from './progress.js';

export const KAFKA_VERSION = '4.3.1';

/** What a broker is started from; all of it is kept in the cache. */
export interface KafkaFiles {
  java: string;
  classpath: string;
  /** `bootstrap.checkpoint`: the feature levels of a new cluster, the same for every node. */
  checkpoint: string;
  /** Where the class data archive is or would be; brokers start without it, but slower. */
  archive: string;
}

// slf4j-simple writes warnings to the broker's log file; without a binding a broker that does
// not start says nothing.
const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>ai.router</groupId><artifactId>kafka-jars</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
${[
  ['org.apache.kafka', 'kafka_2.13', KAFKA_VERSION],
  ['org.apache.kafka', 'kafka-tools', KAFKA_VERSION],
  ['org.slf4j', 'slf4j-simple', '1.7.36'],
]
  .map(
    ([group, artifact, version]) =>
      `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>` +
      `<version>${version}</version></dependency>`,
  )
  .join('\n')}
  </dependencies>
</project>
`;
const COPY_JARS = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
const MAVEN_TIMEOUT_MS = 900_000;

const run = promisify(execFile);

/**
 * Kafka's own jars from Maven Central and the files made from them, fetched and made on first
 * need. The cache is keyed by what is asked of Maven: a new version is a new folder.
 */
export async function fetchKafkaFiles(
  tools: { java: string; maven: string | null },
  cacheDir: string,
  progress: Progress,
): Promise<KafkaFiles> {
  const lib = kafkaLibPath(cacheDir);
  const checkpoint = `${lib}.bootstrap.checkpoint`;
  await makeOnce(lib, (scratch) =>
    progress.step(`Kafka ${KAFKA_VERSION}: downloading the jars from Maven Central`, () =>
      fetchJars(tools.maven, scratch),
    ),
  );
  // The archive is bound to the very text of the classpath: absolute names in one order.
  const jars = (await readdir(lib)).filter((name) => name.endsWith('.jar')).sort();
  const classpath = jars.map((name) => join(lib, name)).join(':');
  await makeOnce(checkpoint, (scratch) =>
    progress.step(`Kafka ${KAFKA_VERSION}: formatting a first folder`, () =>
      takeCheckpoint(tools.java, classpath, scratch),
    ),
  );
  const jvm = await jvmKey(tools.java);
  return { java: tools.java, classpath, checkpoint, archive: `${lib}.${jvm}.jsa` };
}

/** Folder of the jars; where it exists, Maven is not needed. */
export function kafkaLibPath(cacheDir: string): string {
  const key = createHash('sha256').update(POM).digest('hex').slice(0, 8);
  return join(cacheDir, `kafka-${KAFKA_VERSION}-${key}`);
}

async function fetchJars(maven: string | null, scratch: string): Promise<void> {
  if (maven === null) throw new Error('Maven is needed to download Kafka');
  await mkdir(scratch);
  const pom = join(scratch, 'pom.xml');
  await writeFile(pom, POM);
  const args = ['-B', '-q', '--strict-checksums', '-f', pom, COPY_JARS];
  args.push('-DincludeScope=runtime', `-DoutputDirectory=${scratch}`);
  await run(maven, args, { timeout: MAVEN_TIMEOUT_MS, maxBuffer: 16_777_216 }).catch((error) => {
    const said = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim().split('\n').slice(0, 8);
    throw new Error(`Maven could not download Kafka: ${said.join('\n')}`, { cause: error });
  });
}

/**
 * Formats a folder by Kafka's tool and keeps the one file of it that cannot be written by hand.
 * A node without it starts too, but with newer features switched off in silence.
 */
async function takeCheckpoint(java: string, classpath: string, scratch: string): Promise<void> {
  const folder = `${scratch}-data`;
  const properties = `${scratch}-properties`;
  const node = { id: 1, brokerPort: 9092, controllerPort: 9093 };
  try {
    await writeFile(properties, serverProperties(node, [node], folder));
    await run(
      java,
      ['-cp', classpath, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties],
      { timeout: 120_000 },
    );
    await copyFile(join(folder, 'bootstrap.checkpoint'), `${scratch}-copy`);
    await rename(`${scratch}-copy`, scratch);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(properties, { force: true });
  }
}

/** Short name of the JVM's exact build: an archive serves no other one. */
async function jvmKey(java: string): Promise<string> {
  const { stderr } = await run(java, ['-version']);
  return createHash('sha256').update(`${java}\n${stderr}`).digest('hex').slice(0, 8);
}
