import { expect, it } from 'vitest';
import { wallClock } from '../../src/clock.js';
import { loadConfig } from '../../src/config.js';
import { topicsOf } from '../../src/log/topics.js';
import { createLogger } from '../../src/observe/logger.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { openIngest } from '../../src/roles/ingest.js';
import { createServer } from '../../src/route/server.js';
import { item, postTo } from '../ingest/ingest-app.js';
import { SilentLog } from './silent-log.js';

async function ingestWith(environment: Record<string, string>) {
  const ingest = await openIngest({
    config: loadConfig(environment),
    clock: wallClock,
    logger: createLogger('silent'),
    metrics: createMetrics(),
    log: new SilentLog(),
    topics: topicsOf(''),
  });
  const app = createServer({ error: () => {} });
  ingest.register(app);
  return app;
}

it('a request waits for the log no longer than AIROUTER_INGEST_TIMEOUT_MS (I11)', async () => {
  const app = await ingestWith({ AIROUTER_INGEST_TIMEOUT_MS: '100' });
  const answer = await app.inject(postTo('/v1/outcomes', { outcomes: [item(1)] }));
  expect(answer.json()).toMatchObject({ status: 503, code: 'log_unavailable' });
});

it('bodies that are under way take no more than AIROUTER_INGEST_BYTES_MAX (I11)', async () => {
  const app = await ingestWith({
    AIROUTER_INGEST_TIMEOUT_MS: '100',
    AIROUTER_INGEST_BYTES_MAX: '1048576',
  });
  const name = 'x'.repeat(1_000);
  const large = { outcomes: Array.from({ length: 999 }, (_, n) => item(n, { name })) };
  const [first, second] = await Promise.all([
    app.inject(postTo('/v1/outcomes', large)),
    app.inject(postTo('/v1/outcomes', { outcomes: [item(1)] })),
  ]);
  expect(first.json()).toMatchObject({ status: 503, code: 'overloaded' });
  expect(second.json()).toMatchObject({ status: 503, code: 'log_unavailable' });
});
