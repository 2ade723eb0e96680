import { writeFile } from 'node:fs/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { formatKeys } from '../../src/access/keys-text.js';
import { bearer, newKey } from '../access/keys.js';
import { AiRouter, type Running, until } from './airouter.js';
import { PATIENT, runSchemathesis, SCHEMATHESIS_TIMEOUT_MS } from './schemathesis.js';

const airouter = new AiRouter();
afterAll(() => airouter.close());

/** Requests an operation at most; coverage of each field's edges comes on top. */
const EXAMPLES = 15;

it(
  'no request that the OpenAPI document leads to meets a 5xx or an answer unlike it',
  async ({ skip }) => {
    const dataDir = await airouter.newDataDir();
    const all = await airouter.startAll(dataDir, PATIENT);
    await airouter.run(dataDir, ['catalogue', 'import']);
    await until(async () => (await all.ask('/v1/route', { model: 'gpt-4o' })).status === 200);
    const found = await runSchemathesis(await all.url(), { examples: EXAMPLES });
    if ('missing' in found) return skip(found.missing);
    expect(found.failures).toBeNull();
    expect(found.cases).toBeGreaterThan(100);
    expect((await all.ask('/readyz')).status).toBe(200);
  },
  SCHEMATHESIS_TIMEOUT_MS,
);

describe('with access keys', () => {
  const of = (...scopes: ('route' | 'ingest')[]) => newKey({ tenant: 'acme', scopes });
  const route = of('route');
  const ingest = of('ingest');
  const callers: Record<string, Record<string, string>> = {
    'no key': {},
    'a key that nobody has': bearer(newKey().text),
    'what is no key': { authorization: 'Basic dTpw' },
    'a key of another tenant': { ...bearer(route.text), 'x-airouter-tenant': 'globex' },
    'a key without most scopes': bearer(ingest.text),
  };

  async function startKeyed(): Promise<Running> {
    const dataDir = await airouter.newDataDir();
    const keysFile = `${dataDir}.keys.jsonl`;
    await writeFile(keysFile, formatKeys([route.key, ingest.key]), { mode: 0o644 });
    return airouter.startAll(dataDir, { ...PATIENT, AIROUTER_KEYS_FILE: keysFile });
  }

  it(
    'nor does any request with the key missing, wrong, of another tenant or without the scope',
    async ({ skip }) => {
      const all = await startKeyed();
      const url = await all.url();
      const { paths } = JSON.parse((await all.ask('/docs/json')).body) as {
        paths: Record<string, Record<string, { responses: object }>>;
      };
      const refused = new Map<string, Set<number>>();
      for (const [caller, headers] of Object.entries(callers)) {
        const statuses = new Set<number>();
        refused.set(caller, statuses);
        for (const [path, operations] of Object.entries(paths)) {
          for (const [method, { responses }] of Object.entries(operations)) {
            const { status } = await fetch(url + path.replaceAll(/[{}]/g, ''), {
              method: method.toUpperCase(),
              headers,
              ...(method === 'post' && { body: '{}' }),
            });
            expect(Object.keys(responses), `${caller}: ${method} ${path}`).toContain(
              String(status),
            );
            if (status === 401 || status === 403) statuses.add(status);
          }
        }
      }
      expect(Object.fromEntries([...refused].map(([name, it]) => [name, [...it]]))).toEqual({
        'no key': [401],
        'a key that nobody has': [401],
        'what is no key': [401],
        'a key of another tenant': [403],
        'a key without most scopes': [403],
      });
      // Who is refused is refused before a body is read: a few of each operation say enough.
      const { 'what is no key': _, ...shown } = callers;
      const runs = await Promise.all(
        Object.values(shown).map((headers) => {
          const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
          return runSchemathesis(url, { examples: 3, phases: 'fuzzing', headers: lines });
        }),
      );
      for (const found of runs) {
        if ('missing' in found) return skip(found.missing);
        expect(found.failures).toBeNull();
        expect(found.cases).toBeGreaterThan(30);
      }
      expect((await all.ask('/healthz')).status).toBe(200);
    },
    SCHEMATHESIS_TIMEOUT_MS,
  );
});
