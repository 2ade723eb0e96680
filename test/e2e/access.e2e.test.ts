import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changeKeysFile } from '../../src/access/keys-file.js';
import { bearer } from '../access/keys.js';
import { AiRouter, answerOf, type Running, until } from './airouter.js';

// One `airouter all` with keys, over real sockets, that is never started again.

const airouter = new AiRouter();
afterAll(() => airouter.close());

let dataDir: string;
let keysFile: string;
let environment: Record<string, string>;
let all: Running;

interface Created {
  key: string;
  id: string;
}

async function keys(...args: string[]): Promise<Record<string, unknown>> {
  const ended = await airouter.run(dataDir, ['keys', ...args, '--json'], environment);
  expect(ended).toMatchObject({ code: 0 });
  return answerOf(ended) as Record<string, unknown>;
}

const create = async (...args: string[]) => (await keys('create', ...args)) as unknown as Created;

let sent = 0;
function outcome(fields: object = {}): object {
  sent += 1;
  return {
    source: 'test',
    id: String(sent),
    occurred_at: Date.now(),
    model: 'gpt-4o',
    provider: 'openai',
    http_status: 200,
    duration_ms: 900,
    ...fields,
  };
}
const tell = (headers: Record<string, string>, fields: object = {}) =>
  all.ask('/v1/outcomes', { outcomes: [outcome(fields)] }, headers);
const route = (headers: Record<string, string>) =>
  all.ask('/v1/route', { model: 'gpt-4o' }, headers);

let first: Created;
beforeAll(async () => {
  dataDir = await airouter.newDataDir();
  keysFile = `${dataDir}.keys.jsonl`;
  environment = { AIROUTER_KEYS_FILE: keysFile };
  first = await create('--tenant', 'acme', '--scope', 'route,ingest');
  all = await airouter.startAll(dataDir, environment);
});

it('the file holds the hash of a key, for its user alone', async () => {
  expect(first.key).toMatch(/^air_[0-9a-f]{12}_[0-9a-f]{64}$/);
  expect(await readFile(keysFile, 'utf8')).not.toContain(first.key.slice(-64));
  expect((await stat(keysFile)).mode & 0o777).toBe(0o600);
  expect(await keys('list')).toMatchObject({ keys: [{ id: first.id, state: 'live' }] });
});

it('a key that is missing, wrong or of another scope is refused, and says why', async () => {
  expect((await all.ask('/healthz')).status).toBe(200);
  expect((await all.ask('/')).status).toBe(200);
  expect((await tell({})).status).toBe(401);
  expect((await tell(bearer(`${first.key.slice(0, -1)}x`))).status).toBe(401);
  const { id, key } = await create('--tenant', 'acme', '--scope', 'analyst');
  await until(async () => (await all.ask('/v1/strategies', undefined, bearer(key))).status === 200);
  const answer = await tell(bearer(key));
  expect([answer.status, JSON.parse(answer.body)]).toMatchObject([403, { code: 'forbidden' }]);
  await keys('revoke', id);
});

it('the tenant is that of the key, in outcomes and in decisions', async () => {
  expect((await airouter.run(dataDir, ['catalogue', 'import'], environment)).code).toBe(0);
  expect((await tell(bearer(first.key))).status).toBe(202);
  expect((await tell(bearer(first.key), { tenant: 'globex' })).status).toBe(400);
  await until(async () => (await route(bearer(first.key))).status === 200);
  const tenantsIn = async (topic: string): Promise<Set<unknown>> => {
    const { stdout } = await airouter.run(dataDir, ['topic', 'cat', topic, '--json'], environment);
    return new Set([...stdout.matchAll(/"tenant":"([^"]*)"/g)].map(([, tenant]) => tenant));
  };
  expect(await tenantsIn('outcomes')).toEqual(new Set(['acme']));
  await until(async () => (await tenantsIn('decisions')).size > 0);
  expect(await tenantsIn('decisions')).toEqual(new Set(['acme']));
});

it('keys rotate, and expire, without a start', async () => {
  const second = await create('--tenant', 'acme', '--scope', 'route,ingest', '--expires-days', '9');
  await until(async () => (await route(bearer(second.key))).status === 200);
  expect((await route(bearer(first.key))).status).toBe(200);
  await keys('revoke', first.id);
  await until(async () => (await route(bearer(first.key))).status === 401);
  expect((await route(bearer(second.key))).status).toBe(200);
  await changeKeysFile(keysFile, (all) => ({
    keys: all.map((key) => ({ ...key, expiresAtMs: Date.now() })),
    result: null,
  }));
  await until(async () => /expired/.test((await route(bearer(second.key))).body));
  expect((await tell(bearer(second.key))).status).toBe(401);
});

it('a limit is told, and kept', async () => {
  const { key } = await create(
    '--tenant',
    'acme',
    '--scope',
    'route',
    '--requests-per-second',
    '3',
  );
  await until(async () => (await route(bearer(key))).status === 200);
  await until(async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => route(bearer(key))));
    return answers.some(({ status }) => status === 429);
  });
});

it.each<[string[], RegExp]>([
  [['keys', 'create', '--scope', 'route'], /--tenant and --all-tenants/],
  [['keys', 'create', '--tenant', 'a', '--scope', 'root'], /--scope must be/],
  [['keys', 'create', '--tenant', 'a'], /--scope must be/],
  [['keys', 'create', '--tenant', 'a', '--scope', 'route', '--expires-days', '0'], /1\.\.3650/],
  [['keys', 'revoke', 'ffffffffffff'], /one that `keys list` shows/],
  [['keys', 'sell'], /create, list or revoke/],
])('%j is wrong use', async (args, message) => {
  const ended = await airouter.run(dataDir, args, environment);
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
});

it('a bad file, or none, is one sentence at the start', async () => {
  for (const AIROUTER_KEYS_FILE of [`${keysFile}.none`, dataDir]) {
    const other = await airouter.newDataDir();
    const ended = await airouter.run(other, ['all'], { AIROUTER_KEYS_FILE });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/^airouter: AIROUTER_KEYS_FILE .*\(invalid_setting\)\n$/);
  }
  const without = await airouter.run(dataDir, ['keys', 'list']);
  expect(without).toMatchObject({ code: 2, stderr: expect.stringMatching(/must name their file/) });
});
