import { afterAll, expect, it } from 'vitest';
import { AiRouter, until } from './airouter.js';
import { runSchemathesis } from './schemathesis.js';

const airouter = new AiRouter();
afterAll(() => airouter.close());

/** Requests an operation at most; coverage of each field's edges comes on top. */
const EXAMPLES = 15;

it('no request that the OpenAPI document leads to meets a 5xx or an answer unlike it', async ({
  skip,
}) => {
  const dataDir = await airouter.newDataDir();
  const all = await airouter.startAll(dataDir);
  await airouter.run(dataDir, ['catalogue', 'import']);
  await until(async () => (await all.ask('/v1/route', { model: 'gpt-4o' })).status === 200);
  const found = await runSchemathesis(await all.url(), { examples: EXAMPLES });
  if ('missing' in found) return skip(found.missing);
  expect(found.failures).toBeNull();
  expect(found.cases).toBeGreaterThan(100);
  expect((await all.ask('/readyz')).status).toBe(200);
});
