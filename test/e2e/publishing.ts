import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';
import type { Environment } from './airouter.js';

/**
 * A program with a publisher and a spool, on Kafka where KAFKA_BROKERS is set. `record` records
 * without a pause until SIGTERM; `drain` ends when the spool is empty. Both print the publisher's
 * counters.
 */
const PROGRAM = `
const [mode, dist, spoolDir] = process.argv.slice(1);
const { KAFKA_BROKERS, DATABASE_URL, AIROUTER_NAMESPACE: namespace } = process.env;
const { createPublisher } = await import(dist + '/src/publish/publisher.js');
const { createEmbeddedLog, logSchema } = await import(dist + '/src/log/embedded-log.js');
const { createPool } = await import(dist + '/src/database/connect.js');
const { randomBytes } = await import('node:crypto');
const { createKafkaLog } = await import(dist + '/src/log/kafka-log.js');
const embedded = () => createEmbeddedLog({
  pool: createPool(DATABASE_URL, {
    poolSize: 2, statementTimeoutMs: 30_000, lockTimeoutMs: 5_000, applicationName: 'publishing',
  }),
  schema: logSchema(namespace),
});
const publisher = createPublisher({
  log: KAFKA_BROKERS ? createKafkaLog({ brokers: KAFKA_BROKERS.split(',') }) : embedded(),
  topic: namespace + '.airouter.outcomes.v1', partitions: 6, clock: { nowMs: () => Date.now() },
  publisherId: () => randomBytes(16), lingerMs: 20, queueMax: 100_000, spoolDir,
  spoolBytesMax: 100_000_000, retry: { initialMs: 50, maxMs: 1_000 },
});
const record = () => publisher.record({
  event_id: randomBytes(16), occurred_at: Date.now(), tenant: '', region: '', deployment: '',
  request_id: '', attempt: 0, final: true, hedged: false, operation: 'chat', model: 'gpt-4o',
  provider: 'openai', requested_model: null, status: 'success', error_type: null,
  http_status: 200, stream: false, duration_ms: 500, ttft_ms: null, input_tokens: 1,
  output_tokens: 1, cached_input_tokens: null, cache_write_tokens: null, reasoning_tokens: null,
  cost_nano_usd: null, retry_after_ms: null, ratelimit_remaining: null, decision: null,
});
const close = async (deadlineMs) => {
  clearInterval(timer);
  await publisher.close({ deadlineMs });
  console.log(JSON.stringify(publisher.stats()));
  process.exit(0);
};
const timer = setInterval(() => {
  if (mode === 'record') for (let i = 0; i < 5; i++) record();
  else if (publisher.stats().spoolBytes === 0) void close(20_000);
  if (publisher.stats().acknowledged > 0) console.error('acknowledged');
}, 10);
process.once('SIGTERM', () => close(4_000));
`;

export interface Publishing {
  child: ChildProcess;
  hasAcknowledged(): boolean;
  ended: Promise<{ code: number | null; stats: Record<string, number> }>;
}

export function publish(
  mode: 'record' | 'drain',
  spoolDir: string,
  environment: Environment,
): Publishing {
  const dist = `file://${join(packageRoot, 'dist')}`;
  const args = ['--input-type=module', '-e', PROGRAM, mode, dist, spoolDir];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => {
    const line = stdout.trim().split('\n').at(-1) ?? '';
    if (line === '') throw new Error(stderr);
    return { code: code as number | null, stats: JSON.parse(line) as Record<string, number> };
  });
  return { child, hasAcknowledged: () => stderr.includes('acknowledged'), ended };
}
