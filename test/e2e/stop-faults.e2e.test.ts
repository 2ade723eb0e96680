import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FaultProxy } from '../../ops/faults/fault-proxy.js';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { packageRoot } from '../../src/package-root.js';
import { AiRouter, answerOf, until } from './airouter.js';
import { outcome, request, startLoad } from './callers.js';

// SIGTERM under load while Postgres, which holds log and rows, is slow or does not answer at all.

const airouter = new AiRouter();
const publishing: ChildProcess[] = [];
afterAll(async () => {
  for (const child of publishing) child.kill('SIGKILL');
  await airouter.close();
});

const ANSWERS_BEFORE = 20;

/**
 * A program with a publisher and a spool. `record` records without a pause until SIGTERM; `drain`
 * ends when the spool is empty. Both print the publisher's counters.
 */
const PROGRAM = `
const [mode, dist, spoolDir, namespace] = process.argv.slice(1);
const { createPublisher } = await import(dist + '/src/publish/publisher.js');
const { createEmbeddedLog, logSchema } = await import(dist + '/src/log/embedded-log.js');
const { createPool } = await import(dist + '/src/database/connect.js');
const { randomBytes } = await import('node:crypto');
const pool = createPool(process.env.DATABASE_URL, {
  poolSize: 2, statementTimeoutMs: 30_000, lockTimeoutMs: 5_000, applicationName: 'publishing',
});
const publisher = createPublisher({
  log: createEmbeddedLog({ pool, schema: logSchema(namespace) }),
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

interface Publishing {
  child: ChildProcess;
  hasAcknowledged(): boolean;
  ended: Promise<{ code: number | null; stats: Record<string, number> }>;
}

function publish(mode: string, spoolDir: string, namespace: string, url: string): Publishing {
  const dist = `file://${join(packageRoot, 'dist')}`;
  const args = ['--input-type=module', '-e', PROGRAM, mode, dist, spoolDir, namespace];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  publishing.push(child);
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

describe('SIGTERM under load', () => {
  it.each([
    ['slow', (proxy: FaultProxy) => proxy.slow({ latencyMs: 50 })],
    ['away', (proxy: FaultProxy) => proxy.hold('request', 'reply')],
  ])(
    'with Postgres %s ends airouter all and a publisher with a spool: what they took is there (I1 I11)',
    async (how, harm) => {
      const postgres = await startEmbeddedPostgres({ dataDir: await airouter.newDataDir() });
      const proxy = await FaultProxy.open(postgres.port);
      const harmed = new URL(postgres.databaseUrl);
      harmed.port = String(proxy.port);
      const namespace = `stop_${randomBytes(4).toString('hex')}`;
      const named = { AIROUTER_NAMESPACE: namespace };
      const environment = { ...named, DATABASE_URL: harmed.href };
      const dataDir = await airouter.newDataDir();
      const spoolDir = `${dataDir}-spool`;
      const all = await airouter.startAll(dataDir, environment);
      expect((await airouter.run(dataDir, ['catalogue', 'import'], environment)).code).toBe(0);
      const publisher = publish('record', spoolDir, namespace, harmed.href);
      const outcomes = startLoad(await all.url(), '/v1/outcomes', outcome);
      const requests = startLoad(await all.url(), '/v1/route', request);
      await until(() => [outcomes, requests].every(({ answered }) => answered > ANSWERS_BEFORE));
      await until(() => publisher.hasAcknowledged());
      harm(proxy);
      publisher.child.kill('SIGTERM');
      const [stopped, published] = await Promise.all([all.signal('SIGTERM'), publisher.ended]);
      await Promise.all([outcomes.stop(), requests.stop()]);
      expect([stopped.code, published.code]).toEqual([0, 0]);
      expect(published.stats).toMatchObject({ queued: 0, dropped: { closed: 0, queue_full: 0 } });
      if (how === 'away') expect(published.stats['inSpool']).toBeGreaterThan(0);
      proxy.heal();

      const again = await airouter.startAll(dataDir, environment);
      const drained = await publish('drain', spoolDir, namespace, harmed.href).ended;
      expect(drained.code).toBe(0);
      const taken = outcomes.acknowledged + published.stats['accepted']!;
      await until(async () => {
        const verified = answerOf(await airouter.run(dataDir, ['verify', '--json'], environment));
        expect(verified).toMatchObject({ books_closed: true });
        const applied = (verified['partitions'] as { applied: number }[]).map((one) => one.applied);
        return applied.reduce((sum, one) => sum + one, 0) >= taken;
      });
      expect((await again.signal('SIGTERM')).code).toBe(0);
      await proxy.close();
    },
  );
});
