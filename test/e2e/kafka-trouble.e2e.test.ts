import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FaultProxy } from '../../ops/faults/fault-proxy.js';
import { freePorts } from '../../ops/stack/ports.js';
import { type Stack, startStack } from '../../ops/stack/stack.js';
import { noBrokers, serviceEnvironment } from '../log/kafka-brokers.js';
import { AiRouter, answerOf, type Environment, until } from './airouter.js';
import { outcome, request, startLoad } from './callers.js';
import { publish } from './publishing.js';

// Kafka is slow, does not say a word, or is gone. On SIGTERM each role ends in order, within the
// AIROUTER_SHUTDOWN_TIMEOUT_MS (5 s) behind which it would say that it did not; what was taken is there.

const airouter = new AiRouter();
let stack: Stack;
let proxy: FaultProxy;
let kafkaBrokers: string;

const ANSWERS_BEFORE = 20;

/** A group's member that could not say goodbye is missed only when its session ends. */
const SESSION_MS = 6_000;

const skipped = noBrokers === null ? '' : ` (skipped: ${noBrokers})`;

describe.skipIf(noBrokers !== null)(`under load${skipped}`, () => {
  beforeAll(async () => {
    const [port, advertisedPort] = (await freePorts(2)) as [number, number];
    const wanted = { kafka: 1, redis: 'single', postgres: 'embedded' } as const;
    const proxied = [{ port, advertisedPort }];
    stack = await startStack({ ...wanted, environment: serviceEnvironment, proxied });
    proxy = await FaultProxy.open(port, advertisedPort);
    kafkaBrokers = `127.0.0.1:${advertisedPort}`;
  });
  afterAll(async () => {
    await airouter.close();
    await proxy.close();
    await stack.stop();
  });

  async function newWorld() {
    const environment = {
      KAFKA_BROKERS: kafkaBrokers,
      REDIS_URL: stack.redisUrl!,
      DATABASE_URL: stack.databaseUrl!,
      AIROUTER_NAMESPACE: `kafka_${randomBytes(4).toString('hex')}`,
      AIROUTER_SESSION_TIMEOUT_MS: String(SESSION_MS),
    };
    const dataDir = await airouter.newDataDir();
    const made = await airouter.run(dataDir, ['topics', 'create', '--single-node'], environment);
    expect(made.code).toBe(0);
    expect((await airouter.run(dataDir, ['catalogue', 'import'], environment)).code).toBe(0);
    return { environment, dataDir, spoolDir: `${dataDir}-spool` };
  }

  /** So many events at least, each once. */
  function allApplied(dataDir: string, environment: Environment, events: number): Promise<void> {
    return until(async () => {
      const verified = answerOf(await airouter.run(dataDir, ['verify', '--json'], environment));
      expect(verified).toMatchObject({ books_closed: true });
      const applied = (verified['partitions'] as { applied: number }[]).map((one) => one.applied);
      return applied.reduce((sum, one) => sum + one, 0) >= events;
    });
  }

  it.each([
    {
      how: 'slow',
      harm: async () => proxy.slow({ latencyMs: 200, bytesPerSecond: 50_000 }),
      heal: async () => proxy.heal(),
    },
    {
      how: 'frozen',
      harm: () => stack.kill('kafka-1', 'SIGSTOP'),
      heal: () => stack.kill('kafka-1', 'SIGCONT'),
    },
  ])(
    'SIGTERM with Kafka $how ends all, project, ingest and a publisher with a spool: what they took is there (I1 I2 I11)',
    async ({ how, harm, heal }) => {
      const { environment, dataDir, spoolDir } = await newWorld();
      const project = airouter.start(dataDir, ['project'], environment);
      const ingest = airouter.start(dataDir, ['ingest'], environment);
      const all = await airouter.startAll(await airouter.newDataDir(), environment);
      const [, ingestUrl] = await ingest.says(/takes outcomes on (http:\S+)/);
      await project.says(/Folding into/);
      const publisher = publish('record', spoolDir, environment);
      const outcomes = [await all.url(), ingestUrl!].map((url) =>
        startLoad(url, '/v1/outcomes', outcome),
      );
      const requests = startLoad(await all.url(), '/v1/route', request);
      const loads = [...outcomes, requests];
      await until(() => loads.every(({ answered }) => answered > ANSWERS_BEFORE));
      await until(() => publisher.hasAcknowledged());

      await harm();
      publisher.child.kill('SIGTERM');
      const roles = [all, project, ingest];
      const [published, ...ends] = await Promise.all([
        publisher.ended,
        ...roles.map((role) => role.signal('SIGTERM')),
      ]);
      await Promise.all(loads.map((load) => load.stop()));
      for (const { code, stderr } of ends) {
        expect(stderr).not.toMatch(/took too long|did not stop in order/);
        expect(code).toBe(0);
      }
      expect(published.code).toBe(0);
      expect(published.stats).toMatchObject({ queued: 0, dropped: { closed: 0, queue_full: 0 } });
      if (how === 'frozen') expect(published.stats['inSpool']).toBeGreaterThan(0);

      await heal();
      const again = await airouter.startAll(dataDir, environment);
      expect((await publish('drain', spoolDir, environment).ended).code).toBe(0);
      const acknowledged = outcomes.reduce((sum, each) => sum + each.acknowledged, 0);
      await allApplied(dataDir, environment, acknowledged + published.stats['accepted']!);
      expect((await again.signal('SIGTERM')).code).toBe(0);
    },
  );

  it('with Kafka gone the router answers, the ingest role says so, and a publisher keeps what comes (I1 I2 I10)', async () => {
    const { environment, dataDir, spoolDir } = await newWorld();
    const all = await airouter.startAll(dataDir, environment);
    await until(async () => (await all.ask('/v1/route', request())).status === 200);
    const publisher = publish('record', spoolDir, environment);
    const requests = startLoad(await all.url(), '/v1/route', request);
    const outcomes = startLoad(await all.url(), '/v1/outcomes', outcome);
    await until(() => [outcomes, requests].every(({ answered }) => answered > ANSWERS_BEFORE));
    await until(() => publisher.hasAcknowledged());

    await stack.kill('kafka-1', 'SIGKILL');
    await until(() => outcomes.broken.length > 0);
    const answeredBefore = requests.answered;
    await until(() => requests.answered > answeredBefore + ANSWERS_BEFORE);
    expect(new Set(outcomes.broken)).toEqual(new Set(['status 503']));
    expect(requests.broken).toEqual([]);
    publisher.child.kill('SIGTERM');
    const published = await publisher.ended;
    expect(published.stats).toMatchObject({ queued: 0, dropped: { closed: 0, queue_full: 0 } });
    expect(published.stats['inSpool']).toBeGreaterThan(0);

    await stack.restart('kafka-1');
    const acknowledgedBefore = outcomes.acknowledged;
    await until(() => outcomes.acknowledged > acknowledgedBefore);
    expect((await publish('drain', spoolDir, environment).ended).code).toBe(0);
    await Promise.all([outcomes.stop(), requests.stop()]);
    expect(requests.broken).toEqual([]);
    await allApplied(dataDir, environment, outcomes.acknowledged + published.stats['accepted']!);
    expect((await all.signal('SIGTERM')).code).toBe(0);
  });
});
