import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { FaultProxy } from '../../ops/faults/fault-proxy.js';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { AiRouter, answerOf, until } from './airouter.js';
import { outcome, request, startLoad } from './callers.js';
import { publish } from './publishing.js';

// SIGTERM under load while Postgres, which holds log and rows, is slow or does not answer at all.

const airouter = new AiRouter();
afterAll(() => airouter.close());

const ANSWERS_BEFORE = 20;

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
      const publisher = publish('record', spoolDir, environment);
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
      const drained = await publish('drain', spoolDir, environment).ended;
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
