import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recovered } from '../../ops/soak/campaign.js';
import { openWorld, type World } from '../../ops/soak/world.js';
import { silent } from '../../ops/stack/progress.js';
import { noBrokers, serviceEnvironment } from '../log/kafka-brokers.js';
import { until } from './airouter.js';
import { request, startLoad } from './callers.js';

const skipped = noBrokers === null ? '' : ` (skipped: ${noBrokers})`;
/** Of all callers together, after each thing that is taken away. */
const ANSWERS = 500;
/** Answers say that their state is old from 10 s on. */
const STALE_AFTER_MS = 12_000;

let world: World;
beforeAll(async () => {
  if (noBrokers !== null) return;
  const environment = serviceEnvironment;
  world = await openWorld({ environment, progress: silent, seed: 1, rate: 50 });
  await recovered(world);
}, 180_000);
afterAll(() => world?.close(), 60_000);

interface Answer {
  candidates: unknown[];
  degraded: string[];
  state: { age_ms: number };
}

async function ask(): Promise<Answer> {
  const response = await fetch(`${world.urls.route}/v1/route`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request()),
  });
  return (await response.json()) as Answer;
}

it.skipIf(noBrokers !== null)(
  `I10 Redis, then everything else, killed while the router answers: no failed request${skipped}`,
  async () => {
    const { services, roles, urls } = world;
    const load = startLoad(urls.route, '/v1/route', request);
    const goOn = async (): Promise<void> => {
      const before = load.answered;
      await until(() => load.answered > before + ANSWERS || load.gone > 0);
      expect(load).toMatchObject({ broken: [], gone: 0 });
    };
    await goOn();
    const whole = await ask();
    expect(whole.degraded).toEqual([]);

    await services.stack.kill('redis', 'SIGKILL');
    await goOn();
    const others = services.stack.processes.filter((name) => name !== 'redis');
    for (const name of others) await services.stack.kill(name, 'SIGKILL');
    await goOn();
    for (const role of [...roles.projectors, roles.ingest]) await role.kill();
    await goOn();
    await sleep(STALE_AFTER_MS);
    await goOn();
    const alone = await ask();
    expect(alone.degraded).toContain('stale');
    expect(alone.state.age_ms).toBeGreaterThan(10_000);
    expect(alone.candidates).toHaveLength(whole.candidates.length);

    await services.stack.restart(...services.stack.processes);
    await until(async () => !(await ask()).degraded.includes('stale'));
    await load.stop();
    expect(load).toMatchObject({ broken: [], gone: 0 });
    expect(roles.route.ends).toEqual([]);
  },
);
