import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { makeOnce } from './cache.js';
import { startKafka } from './kafka.js';
import type { KafkaFiles } from './kafka-files.js';
import { JVM_OPTIONS } from './kafka-properties.js';
import type { Progress } from './progress.js';
import { makeRunFolder } from './run-folder.js';

const DUMP_TIMEOUT_MS = 60_000;

/**
 * JVM options that let a broker take its classes from an archive, which is made here once by a
 * short first run: a broker then starts in less than half of the time. Where the JVM makes none,
 * brokers start without.
 */
export async function archiveOptions(files: KafkaFiles, progress: Progress): Promise<string[]> {
  try {
    await makeOnce(files.archive, (scratch) =>
      progress.step('Kafka: a first run to make later starts quick', () =>
        makeArchive(files, scratch),
      ),
    );
  } catch (error) {
    progress.say(`Kafka: starts will be slow, no class archive was made: ${String(error)}`);
    return [];
  }
  return [`-XX:SharedArchiveFile=${files.archive}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off'];
}

/** Runs a broker that writes the archive of the classes that it used when it ends. */
async function makeArchive(files: KafkaFiles, scratch: string): Promise<void> {
  const dir = await makeRunFolder();
  const archive = `${scratch}-dump`;
  try {
    const service = await startKafka({
      brokers: 1,
      dir,
      files,
      jvmOptions: [...JVM_OPTIONS.quick, `-XX:ArchiveClassesAtExit=${archive}`],
      lifetime: 'parent',
    });
    await useOnce(service.address);
    await Promise.all(service.processes.map((one) => one.stop('SIGTERM', DUMP_TIMEOUT_MS)));
    if (!existsSync(archive)) throw new Error(service.processes[0]?.logTail());
    await rename(archive, scratch);
  } finally {
    await rm(archive, { force: true });
    await rm(dir, { recursive: true, force: true });
  }
}

/** One record through a topic, so that the classes for it are in the archive too. */
async function useOnce(address: string): Promise<void> {
  const kafka = new Kafka({ brokers: address.split(','), logLevel: logLevel.NOTHING });
  const [admin, producer] = [
    kafka.admin(),
    kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: true }),
  ];
  try {
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic: 'first' }], waitForLeaders: true });
    await producer.send({ topic: 'first', messages: [{ value: 'first' }] });
    await admin.fetchTopicOffsets('first');
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}
