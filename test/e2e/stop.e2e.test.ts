import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { AiRouter, answerOf, type Environment, type Running, until } from './airouter.js';
import { outcome, request, startLoad } from './callers.js';

// SIGTERM under load: the process ends in order and in time, and what it has acknowledged is there.
// That requests under way are answered is shown without other processes: test/route/drain.test.ts.

const airouter = new AiRouter();
afterAll(() => airouter.close());

/** Answers of each kind of call before the signal comes. */
const ANSWERS_BEFORE = 40;

async function expectEndedInOrder(running: Running): Promise<void> {
  const { code, stderr } = await running.signal('SIGTERM');
  expect(stderr).not.toMatch(/took too long|did not stop in order/);
  expect(code).toBe(0);
}

async function applied(dataDir: string, environment: Environment = {}): Promise<number> {
  const verified = answerOf(await airouter.run(dataDir, ['verify', '--json'], environment));
  expect(verified).toMatchObject({ books_closed: true });
  return (verified['partitions'] as { applied: number }[]).reduce(
    (sum, one) => sum + one.applied,
    0,
  );
}

describe('SIGTERM under load', () => {
  it('ends airouter all in order: what was acknowledged is there (I1 I11)', async () => {
    const dataDir = await airouter.newDataDir();
    const all = await airouter.startAll(dataDir);
    expect((await airouter.run(dataDir, ['catalogue', 'import'])).code).toBe(0);
    await until(async () => (await all.ask('/v1/route', request())).status === 200);
    const loads = [
      startLoad(await all.url(), '/v1/outcomes', outcome),
      startLoad(await all.url(), '/v1/route', request),
    ];
    await until(() => loads.every(({ answered }) => answered > ANSWERS_BEFORE));
    await expectEndedInOrder(all);
    await Promise.all(loads.map((load) => load.stop()));
    expect(loads.flatMap(({ broken }) => broken)).toEqual([]);
    const again = await airouter.startAll(dataDir);
    const acknowledged = loads[0]!.acknowledged;
    await until(async () => (await applied(dataDir)) >= acknowledged);
    await expectEndedInOrder(again);
  });

  it('ends project, ingest and route on the real stack in order, one after the other (I1 I11)', async ({
    skip,
  }) => {
    const { TEST_KAFKA_BROKERS, TEST_REDIS_URL, TEST_DATABASE_URL } = process.env;
    skip(!TEST_KAFKA_BROKERS || !TEST_REDIS_URL || !TEST_DATABASE_URL, 'there is no real stack');
    const environment = {
      KAFKA_BROKERS: TEST_KAFKA_BROKERS!,
      REDIS_URL: TEST_REDIS_URL!,
      DATABASE_URL: TEST_DATABASE_URL!,
      AIROUTER_NAMESPACE: `stop_${randomBytes(4).toString('hex')}`,
    };
    const dataDir = await airouter.newDataDir();
    expect((await airouter.run(dataDir, ['catalogue', 'import'], environment)).code).toBe(0);
    const listening = { ...environment, AIROUTER_PROJECT_PORT: '0' };
    const project = airouter.start(dataDir, ['project'], listening);
    const ingest = airouter.start(dataDir, ['ingest'], environment);
    const [, ingestUrl] = await ingest.says(/takes outcomes on (http:\S+)/);
    const routing = { ...environment, AIROUTER_INGEST_URL: ingestUrl! };
    const route = airouter.start(dataDir, ['route'], routing);
    await until(async () => (await route.ask('/v1/route', request())).status === 200);
    const [, projectUrl] = await project.says(/The projector answers on (http:\S+)/);
    expect((await fetch(`${projectUrl}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${projectUrl}/metrics`)).text()).toContain(
      'airouter_projection_events_total',
    );

    const outcomes = startLoad(ingestUrl!, '/v1/outcomes', outcome);
    const requests = startLoad(await route.url(), '/v1/route', request);
    await until(() => outcomes.answered > ANSWERS_BEFORE && requests.answered > ANSWERS_BEFORE);
    await expectEndedInOrder(project);
    await expectEndedInOrder(route);
    await expectEndedInOrder(ingest);
    await Promise.all([outcomes.stop(), requests.stop()]);
    expect([...outcomes.broken, ...requests.broken]).toEqual([]);

    const next = airouter.start(dataDir, ['project'], environment);
    await until(async () => (await applied(dataDir, environment)) >= outcomes.acknowledged);
    await expectEndedInOrder(next);
  });
});
