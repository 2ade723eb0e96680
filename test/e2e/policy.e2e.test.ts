import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { AiRouter, answerOf, type Running, until } from './airouter.js';

const airouter = new AiRouter();
afterAll(() => airouter.close());

describe('airouter policy', () => {
  let dataDir: string;
  let all: Running;
  beforeAll(async () => {
    dataDir = await airouter.newDataDir();
    all = await airouter.startAll(dataDir);
    expect((await airouter.run(dataDir, ['catalogue', 'import'])).code).toBe(0);
    await until(async () => (await all.ask('/v1/route', { model: 'gpt-4o' })).status === 200);
  });

  async function apply(document: object) {
    const file = join(dirname(dataDir), 'policy.json');
    await writeFile(file, JSON.stringify(document));
    return airouter.run(dataDir, ['policy', 'apply', file, '--json']);
  }

  const ask = async (body: object = { policy: 'p' }) =>
    JSON.parse((await all.ask('/v1/route', { model: 'gpt-4o', limit: 32, ...body })).body);

  const providers = ({ candidates }: { candidates: { provider: string }[] }) =>
    new Set(candidates.map(({ provider }) => provider));

  const only = (provider: string) => ({ name: 'p', provider: { only: [provider] } });

  it('changes answers of a router that runs, by what was applied last', async () => {
    const before = await ask({});
    expect(before).toMatchObject({ policy: '', policy_hash: '' });
    expect(providers(before).size).toBeGreaterThan(1);
    for (const provider of ['openai', 'azure.ai.openai']) {
      const applied = await apply(only(provider));
      expect(applied.code).toBe(0);
      const { hash } = answerOf(applied);
      await until(async () => (await ask()).policy_hash === hash);
      expect(providers(await ask())).toEqual(new Set([provider]));
    }
    expect(answerOf(await apply(only('azure.ai.openai')))['applied']).toBe(false);
  });

  it('refuses a bad one with field and rule, and the last good one stands', async () => {
    const { policy_hash: hash } = await ask();
    const bad = await apply({ ...only('openai'), weights: { openai: -1 } });
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain('weights.openai must be >= 0 (rule_broken)');
    const list = answerOf(await airouter.run(dataDir, ['policy', 'list', '--json']));
    expect(list['policies']).toMatchObject([{ name: 'p', hash, broken: null }]);
    expect((await ask()).policy_hash).toBe(hash);
  });

  it('is the default of a tenant once, and is logged with each decision', async () => {
    const { policy_hash: hash } = await ask();
    expect((await apply({ ...only('openai'), name: 'q', default_for: ['*'] })).code).toBe(0);
    const twice = await apply({ ...only('openai'), name: 'r', default_for: ['*'] });
    expect(twice.stderr).toContain('default_for must be without *, whose default is the policy q');
    await until(async () => (await ask({})).policy === 'q');
    await until(async () => {
      const { stdout } = await airouter.run(dataDir, ['topic', 'cat', 'decisions']);
      return stdout.includes(hash);
    });
  });

  it('shows and removes', async () => {
    const shown = answerOf(await airouter.run(dataDir, ['policy', 'show', 'q', '--json']));
    expect(shown['document']).toMatchObject({ name: 'q', default_for: ['*'] });
    expect((await airouter.run(dataDir, ['policy', 'remove', 'q'])).code).toBe(0);
    await until(async () => (await ask({})).policy === '');
    expect((await airouter.run(dataDir, ['policy', 'show', 'q'])).code).toBe(2);
    expect((await airouter.run(dataDir, ['policy', 'aply'])).code).toBe(2);
  });
});

/** Decides 1,000 requests under policies of every kind; prints the hash of all decisions. */
const PROGRAM = `
  const [{ Board }, { decide }, { nextSnapshot }, { canonicalJson }, { createHash }] = await Promise.all([
    import(ROOT + 'board.js'), import(ROOT + 'decide.js'), import(ROOT + 'snapshot.js'),
    import(ROOT + 'canonical-json.js'), import('node:crypto')]);
  const sha = (text) => createHash('sha256').update(text).digest();
  const offerings = [...'abcdefgh'].map((provider, i) => ({
    offering: 'm|' + provider + '||', model: 'm', provider, deployment: '', region: '', call_as: 'm',
    capabilities: null, context_tokens: null, output_tokens_max: null, requests_per_minute: null,
    tokens_per_minute: null, weight: 1 + i, priority: i % 2, enabled: true,
    prices: [{ valid_from: 0, tiers: [{ above_input_tokens: 0, input: 1e9 + 1e7 * i, cached_input: null,
      cache_write: null, output: 4e9, request: null }] }] }));
  const variants = [{ name: 'one', percent: 33.3, targets: ['a', 'b', 'c'], strategy: 'weighted_round_robin' },
    { name: 'two', percent: 66, strategy: 'auto' }, { name: 'three', percent: 0 }];
  const units = ['decision', 'sticky', 'time_block'];
  const documents = [...units.map((unit) => ({ name: unit, split: { unit, variants } })),
    { name: 'pin', strategy: 'weighted_round_robin', split: { unit: 'sticky', ttl_s: 60 } },
    { name: 'canary', canary: { targets: ['h'], percent: 5 }, tiers: [['a', 'h'], ['b', 'c']] },
    ...['least_connections', 'response_time', 'hybrid', 'throughput', 'pareto'].map((strategy) => ({ name: strategy, strategy }))];
  const policies = Object.fromEntries(documents.map((it) => {
    const document = canonicalJson(it);
    return [it.name, { document, hash: sha(document).toString('hex') }];
  }));
  const lane = { version: 7, vector: {}, writtenAtMs: 0, writeId: 'w' };
  const values = new Map(Object.entries({ models: { models: [], aliases: {}, offerings }, policies }).map(
    ([key, value]) => [key, JSON.stringify(value)]));
  const state = { epoch: 'e', revision: 1, writeId: 'w', lanes: { health: lane, metrics: lane } };
  const view = { generation: 'g', state, values, changedKeys: new Set(values.keys()) };
  const { snapshot, broken } = nextSnapshot(null, view);
  if (broken.size > 0) throw new Error([...broken.values()].join());
  const all = createHash('sha256');
  for (let i = 0; i < 1000; i++) {
    const draw = sha('request ' + i);
    const asOf = 1767225600 + draw[0];
    const decided = decide({ board: new Board(snapshot, asOf, draw[1] > 127), decidedAtMs: asOf * 1000,
      staleAfterMs: 1e15, tenant: '', decisionId: draw.subarray(0, 16), request: { model: 'm', operation: 'chat',
      stream: draw[1] > 127, request_id: '', tried: [], limit: 8, policy: documents[i % documents.length].name,
      sticky_key: draw[2] > 99 ? 'user ' + draw[3] : '' } });
    all.update(JSON.stringify(decided));
  }
  process.stdout.write(all.digest('hex'));
`;

it('I8 three processes decide the same bytes under every kind of policy', async () => {
  const root = pathToFileURL(join(packageRoot, 'dist', 'src', 'route', '/')).href;
  const program = `const ROOT = ${JSON.stringify(root)};${PROGRAM}`;
  const args = ['--input-type=module', '--eval', program];
  const runs = await Promise.all([1, 2, 3].map(() => promisify(execFile)(process.execPath, args)));
  const hashes = runs.map(({ stdout }) => stdout);
  expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(hashes).size).toBe(1);
});
