import { expect, it, onTestFinished, vi } from 'vitest';
import { createMetrics } from '../../src/observe/metrics.js';
import { registerRouter } from '../../src/route/app.js';
import type { OverloadLimits } from '../../src/route/overload.js';
import { createServer } from '../../src/route/server.js';
import { AS_OF } from './fixtures.js';
import { model, post, snapshot } from './route-app.js';

function serverWith(overload: OverloadLimits) {
  const metrics = createMetrics();
  const app = createServer({ error: () => {} }, { overload, metrics });
  onTestFinished(() => app.close());
  registerRouter(app, {
    snapshotSource: { current: () => snapshot },
    clock: { nowMs: () => AS_OF * 1000 },
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    staleAfterMs: 10_000,
    metrics,
  });
  return { app, metrics };
}

it.each<[string, OverloadLimits]>([
  ['memory', { eventLoopDelayMs: 0, memoryBytes: 1 }],
  ['delay', { eventLoopDelayMs: 1e-6, memoryBytes: 0 }],
])(
  'too much %s is refused at the door, but not those who look after the process',
  async (_name, limits) => {
    const { app, metrics } = serverWith(limits);
    const answer = await vi.waitFor(
      async () => {
        const refused = await app.inject(post({ model }));
        expect(refused.statusCode).toBe(503);
        return refused;
      },
      { timeout: 20_000, interval: 20 },
    );
    expect(answer.headers).toMatchObject({ 'retry-after': '1' });
    expect(answer.json()).toMatchObject({ code: 'overloaded', status: 503 });
    for (const url of ['/healthz', '/readyz', '/metrics']) {
      expect([url, (await app.inject({ url })).statusCode]).toEqual([url, 200]);
    }
    const { values } = await metrics.counter('refused').get();
    expect(values).toMatchObject([{ labels: { code: 'overloaded' } }]);
  },
);

it('limits of 0 refuse nothing', async () => {
  const { app } = serverWith({ eventLoopDelayMs: 0, memoryBytes: 0 });
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  expect((await app.inject(post({ model }))).statusCode).toBe(200);
});
