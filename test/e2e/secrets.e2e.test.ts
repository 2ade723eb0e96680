import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatKeys } from '../../src/access/keys-text.js';
import { bearer, newKey } from '../access/keys.js';
import { AiRouter, answerOf, type Running, serverOf } from './airouter.js';

const airouter = new AiRouter();
afterAll(() => airouter.close());

const PASSWORD = 'plantedSecret4711';
/** Redis refuses nobody here: nothing listens. */
const REDIS_URL = `redis://someone:${PASSWORD}@127.0.0.1:1`;

const ADMIN = newKey({ scopes: ['admin'] });
const UNKNOWN = newKey();
const secretOf = ({ text }: { text: string }) => text.slice(-64);

async function ownerFile(dataDir: string): Promise<{ databaseUrl: string; token: string }> {
  return JSON.parse(await readFile(join(dataDir, 'owner.json'), 'utf8')) as {
    databaseUrl: string;
    token: string;
  };
}

describe('a password or a key that settings hold, or callers show (I12)', () => {
  let server: Running;
  let serverDir: string;
  let dataDir: string;
  let environment: Record<string, string>;
  let all: Running;
  let token: string;

  /** A database of its own in the embedded server of another AiRouter, entered by the password. */
  beforeAll(async () => {
    serverDir = await airouter.newDataDir();
    server = await airouter.startAll(serverDir);
    const url = new URL((await ownerFile(serverDir)).databaseUrl);
    const admin = new Client({ connectionString: url.href });
    await admin.connect();
    await admin.query(`create role planted login password '${PASSWORD}'`);
    await admin.query('create database planted owner planted');
    await admin.end();
    Object.assign(url, { username: 'planted', password: PASSWORD, pathname: '/planted' });
    dataDir = await airouter.newDataDir();
    const keysFile = `${dataDir}.keys`;
    await writeFile(keysFile, formatKeys([ADMIN.key]));
    environment = {
      DATABASE_URL: url.href,
      LOG_LEVEL: 'debug',
      AIROUTER_KEYS_FILE: keysFile,
      AIROUTER_KEY: ADMIN.text,
    };
    all = await airouter.startAll(dataDir, environment);
    token = (await ownerFile(dataDir)).token;
  });

  function expectNoSecret(text: string): void {
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain(token);
    expect(text).not.toContain(secretOf(ADMIN));
    expect(text).not.toContain(secretOf(UNKNOWN));
    expect(text).not.toContain(ADMIN.key.hash);
  }

  it.each([
    [['config'], 0],
    [['config', '--json'], 0],
    [['catalogue', 'import'], 0],
    [['topic', 'cat', 'catalogue'], 0],
    [['dlq', 'list', '--json'], 0],
    [['verify', '--json'], 0],
    [['keys', 'list'], 0],
    [['keys', 'list', '--json'], 0],
    [['keys', 'revoke', UNKNOWN.text], 2],
    [['all'], 2],
  ])('is not in what %j says, which ends with %i', async (args, exitCode) => {
    const { code, stdout, stderr } = await airouter.run(dataDir, args, environment);
    expect(code).toBe(exitCode);
    expectNoSecret(stdout + stderr);
  });

  it('is hidden as such by `config`, in every setting that may hold one', async () => {
    const settings = {
      ...environment,
      REDIS_URL,
      DATABASE_READ_URL: environment['DATABASE_URL']!,
      KAFKA_SASL_PASSWORD: PASSWORD,
      SCHEMA_REGISTRY_URL: `https://someone:${PASSWORD}@registry.example`,
      AIROUTER_INGEST_URL: `https://someone:${PASSWORD}@ingest.example`,
    };
    const ended = await airouter.run(dataDir, ['config', '--json'], settings);
    expectNoSecret(ended.stdout + ended.stderr);
    const shown = ['LOG_LEVEL', 'AIROUTER_KEYS_FILE'];
    for (const name of Object.keys(settings).filter((name) => !shown.includes(name))) {
      expect(answerOf(ended)).toMatchObject({ [name]: '(hidden)' });
    }
  });

  it('is not in what the HTTP server answers', async () => {
    const withUnknown = { authorization: `Basic ${UNKNOWN.text}`, 'x-api-key': UNKNOWN.text };
    for (const headers of [{}, bearer(ADMIN.text), bearer(UNKNOWN.text), withUnknown]) {
      for (const path of [
        '/healthz',
        '/readyz',
        '/metrics',
        '/v1/models',
        '/v1/stats',
        '/nothing',
        `/v1/models/${UNKNOWN.text}`,
      ]) {
        expectNoSecret((await all.ask(path, undefined, headers)).body);
      }
      for (const path of ['/v1/route', '/v1/outcomes', '/v1/decisions']) {
        expectNoSecret((await all.ask(path, {}, headers)).body);
      }
    }
    expect((await all.ask('/v1/models', undefined, bearer(ADMIN.text))).status).toBe(200);
    expect((await all.ask('/v1/models', undefined, bearer(UNKNOWN.text))).status).toBe(401);
  });

  it('is not in what is said of a file of keys that goes bad', async () => {
    const path = environment['AIROUTER_KEYS_FILE']!;
    const good = await readFile(path);
    await writeFile(path, `${UNKNOWN.text}\n`);
    await all.says(/those read last stay in force/);
    const ended = await airouter.run(dataDir, ['keys', 'list'], environment);
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('line 1') });
    expectNoSecret(ended.stdout + ended.stderr);
    await writeFile(path, good);
    await all.says(/were read again/);
  });

  it('is not in what is said of a Redis that is not there', async () => {
    const other = await airouter.newDataDir();
    const route = airouter.start(other, ['route'], { REDIS_URL, LOG_LEVEL: 'debug' });
    await route.says(/The hot keys cannot be read/);
    await route.signal('SIGINT');
    expectNoSecret(route.stdout + route.stderr);
  });

  it('is not in what is said when the database is lost and found', async () => {
    process.kill((await serverOf(serverDir))!, 'SIGKILL');
    await server.says(/Postgres is back/);
    await all.says(/Postgres is back/);
    expect((await all.signal('SIGTERM')).code).toBe(0);
    expectNoSecret(all.stdout + all.stderr);
  });
});
