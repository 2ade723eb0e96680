import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/package-root.js';
import { makeOnce } from '../stack/cache.js';
import { fetchKafkaFiles } from '../stack/kafka-files.js';
import { findProgram, inspectMachine } from '../stack/machine.js';
import { silent } from '../stack/progress.js';

const run = promisify(execFile);

/** A million records take a minute; they run beside other processes. */
const CONSUMER_TIMEOUT_MS = 600_000;
const INSTALL_TIMEOUT_MS = 280_000;
const SILENCE_MS = 5_000;
const PACKAGES = ['confluent-kafka==2.16.0', 'fastavro==1.13.0'];

/** What could not be had, and why. */
export interface Missing {
  missing: string;
}

/** Records of a topic as Kafka's own console consumer counts them. */
export async function countWithKafka(brokers: string, topic: string): Promise<number | Missing> {
  const { java, maven, hasKafkaJars, cacheDir } = inspectMachine(process.env);
  if (java === null || (maven === null && !hasKafkaJars)) {
    return { missing: 'Kafka’s own consumer needs Java and Maven' };
  }
  const files = await fetchKafkaFiles({ java: java.path, maven }, cacheDir, silent);
  const args = ['-cp', files.classpath, 'org.apache.kafka.tools.consumer.ConsoleConsumer'];
  args.push('--bootstrap-server', brokers, '--topic', topic, '--from-beginning');
  args.push('--timeout-ms', String(SILENCE_MS), '--formatter-property', 'print.value=false');
  const { stderr } = await run(files.java, args, {
    timeout: CONSUMER_TIMEOUT_MS,
    maxBuffer: 67_108_864,
  });
  const total = /Processed a total of (\d+) messages/.exec(stderr)?.[1];
  if (total === undefined) throw new Error(`the console consumer did not count: ${stderr}`);
  return Number(total);
}

export interface ForeignCount {
  records: number;
  events: number;
  distinct_event_ids: number;
  /** Records whose bytes are not as they say. */
  broken: number;
}

/** Against the ids that were acknowledged. */
export interface ForeignComparison extends ForeignCount {
  acknowledged: number;
  /** Acknowledged, and not in the topic. */
  missing: number;
  /** In the topic, and never acknowledged. */
  unacknowledged: number;
}

/** Records and events of a topic as `count_outcomes.py` counts them. */
export function countWithPython(brokers: string, topic: string): Promise<ForeignCount | Missing> {
  return runPython([brokers, topic]);
}

/**
 * The same, compared with a file of acknowledged ids, 16 bytes each. `root`: of the newest build
 * that wrote records.
 */
export function compareWithPython(
  brokers: string,
  topic: string,
  acknowledged: string,
  root?: string,
): Promise<ForeignComparison | Missing> {
  return runPython([brokers, topic], root, acknowledged);
}

async function runPython<T>(
  place: string[],
  root = packageRoot,
  ...more: string[]
): Promise<T | Missing> {
  const python = findProgram('python3', process.env);
  if (python === null) return { missing: 'python3 is not on the PATH' };
  const packages = await installPackages(python);
  if (typeof packages !== 'string') return packages;
  const script = join(packageRoot, 'ops/soak/count_outcomes.py');
  const args = [script, ...place, join(root, 'schemas'), ...more];
  const { stdout } = await run(python, args, {
    timeout: CONSUMER_TIMEOUT_MS,
    env: { ...process.env, PYTHONPATH: packages },
  });
  return JSON.parse(stdout) as T;
}

/** Into a folder of their own in the cache, by version of Python: the system's stay as they are. */
async function installPackages(python: string): Promise<string | Missing> {
  try {
    const { stdout: version } = await run(python, ['--version']);
    const key = createHash('sha256')
      .update([version, ...PACKAGES].join('\n'))
      .digest('hex');
    const path = join(inspectMachine(process.env).cacheDir, `python-kafka-${key.slice(0, 8)}`);
    await makeOnce(path, async (scratch) => {
      const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
      args.push('--only-binary', ':all:', '--target', scratch, ...PACKAGES);
      await run(python, args, { timeout: INSTALL_TIMEOUT_MS });
    });
    return path;
  } catch (error) {
    return { missing: `pip could not install ${PACKAGES.join(' and ')}: ${String(error)}` };
  }
}
