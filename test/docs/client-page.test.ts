import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AiRouterClient } from '../../src/client/client.js';
import { packageRoot } from '../../src/package-root.js';
import { airouter } from '../client/servers.js';
import { TOPICS } from '../ingest/ingest-app.js';
import { model } from '../route/route-app.js';

const page = readFileSync(join(packageRoot, 'docs', 'client.md'), 'utf8');
const example = /```js\nimport { AiRouterClient } from '[^']*';\n([^`]*)```/.exec(page)?.[1];
const AsyncFunction = (async () => {}).constructor as new (
  ...parameters: string[]
) => (client: typeof AiRouterClient, callProvider: () => object) => Promise<void>;

it('docs/client.md: the example routes, tries the next candidate, and reports both', async () => {
  const { url, log } = await airouter();
  const code = example!.replace('http://127.0.0.1:8080', url).replaceAll('gpt-4o', model);
  const answers = [{ status: 503 }, { status: 200, inputTokens: 1200, outputTokens: 300 }];
  const run = new AsyncFunction('AiRouterClient', 'callProvider', code);
  await run(AiRouterClient, () => answers.shift()!);
  const outcomes = log
    .decoded(TOPICS.outcomes)
    .flatMap((it) => (it.type === 'OutcomeBatch' ? it.value.outcomes : []));
  expect(outcomes.toSorted((a, b) => a.attempt - b.attempt)).toMatchObject([
    { attempt: 0, status: 'error', model, input_tokens: null },
    { attempt: 1, status: 'success', model, input_tokens: 1200 },
  ]);
});
