import { hash } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import type { PoliciesValue } from '../../src/hotkeys/values.js';
import { canonicalJson } from '../../src/route/canonical-json.js';
import { catalogueSnapshot } from '../../src/route/snapshot.js';
import { createSnapshotSource } from '../../src/route/snapshot-source.js';
import { catalogue, view } from './fixtures.js';
import { a, appOf, b, model, post } from './route-app.js';

const apps: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

function entry(document: Record<string, unknown>): PoliciesValue[string] {
  const text = canonicalJson(document);
  return { document: text, hash: hash('sha256', text, 'hex') };
}

/** A router that reads policies as they change. */
function router() {
  const lines: string[] = [];
  const log = (fields: unknown, text?: unknown) =>
    void lines.push(`${text} ${JSON.stringify(fields)}`);
  const source = createSnapshotSource({ logger: { info: log, warn: log } });
  const { app } = appOf(null, { snapshotSource: source });
  apps.push(app);
  const models = catalogue([a, b]);
  return {
    lines,
    put: (policies: PoliciesValue) =>
      source.onChange(view({ models, policies }, { changedKeys: new Set(['models', 'policies']) })),
    ask: async (body: object) => (await app.inject(post({ model, ...body }))).json(),
  };
}

const only = (provider: string) => ({ name: 'p', provider: { only: [provider] } });

it('a policy is taken up, changed and removed without a restart', async () => {
  const { put, ask } = router();
  put({ p: entry(only('openai')) });
  const first = await ask({ policy: 'p' });
  expect(first).toMatchObject({ policy: 'p', policy_hash: entry(only('openai')).hash });
  expect(first.candidates.map((it: { provider: string }) => it.provider)).toEqual(['openai']);
  put({ p: entry(only('azure')) });
  const second = await ask({ policy: 'p' });
  expect(second.candidates[0].provider).toBe('azure.ai.openai');
  expect(second.policy_hash).not.toBe(first.policy_hash);
  put({});
  expect(await ask({ policy: 'p' })).toMatchObject({ code: 'invalid_request', field: 'policy' });
  expect(await ask({})).toMatchObject({
    policy: '',
    policy_hash: '',
    variant: '',
    unit: 'decision',
  });
});

it.each<[string, PoliciesValue[string]]>([
  ['is cut off', { ...entry(only('azure')), document: '{"name":"p","prov' }],
  ['was changed on its way', { ...entry(only('azure')), hash: 'ab'.repeat(32) }],
  ['breaks its schema', entry({ name: 'p', strategy: 'a strategy of tomorrow' })],
  ['names itself otherwise', entry({ name: 'q' })],
])(
  'of a policy that %s the last good one stands, others change, and one line says so',
  async (_name, broken) => {
    const { put, ask, lines } = router();
    put({ p: entry(only('openai')), other: entry({ name: 'other', except: ['openai'] }) });
    const before = await ask({ policy: 'p' });
    put({ p: broken, other: entry({ name: 'other', targets: ['openai'] }) });
    const after = await ask({ policy: 'p' });
    expect(after).toMatchObject({ policy: 'p', policy_hash: before.policy_hash });
    expect((await ask({ policy: 'other' })).candidates[0].provider).toBe('openai');
    put({ p: broken });
    expect(lines.filter((line) => line.includes('not readable'))).toHaveLength(1);
    expect(lines.join()).toContain('policy p');
  },
);

it('a sticky key goes to the same place, whoever asks how often', async () => {
  const { put, ask } = router();
  put({
    p: entry({ name: 'p', strategy: 'weighted_round_robin', split: { unit: 'sticky' } }),
  });
  const firsts = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const answer = await ask({ policy: 'p', sticky_key: 'user-1' });
    expect(answer.unit).toBe('sticky');
    firsts.add(answer.candidates[0].offering);
  }
  expect(firsts.size).toBe(1);
});

it('I10 a router that has read nothing yet answers a request that names a policy, and says so', async () => {
  const { app } = appOf(catalogueSnapshot(catalogue([a, b])));
  apps.push(app);
  const answer = await app.inject(post({ model, policy: 'p' }));
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toMatchObject({ policy: '', degraded: ['no_cache'] });
});
