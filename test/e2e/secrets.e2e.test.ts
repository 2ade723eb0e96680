import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AiRouter, answerOf, type Running, serverOf } from './airouter.js';

const airouter = new AiRouter();
afterAll(() => airouter.close());

const PASSWORD = 'plantedSecret4711';
/** Redis refuses nobody here: nothing listens. */
const REDIS_URL = `redis://someone:${PASSWORD}@127.0.0.1:1`;

async function ownerFile(dataDir: string): Promise<{ databaseUrl: string; token: string }> {
  return JSON.parse(await readFile(join(dataDir, 'owner.json'), 'utf8')) as {
    databaseUrl: string;
    token: string;
  };
}

describe('a password that settings hold (I12)', () => {
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
    environment = { DATABASE_URL: url.href, LOG_LEVEL: 'debug' };
    dataDir = await airouter.newDataDir();
    all = await airouter.startAll(dataDir, environment);
    token = (await ownerFile(dataDir)).token;
  });

  function expectNoSecret(text: string): void {
    expect(text).not.toContain(PASSWORD);
    expect(text).not.toContain(token);
  }

  it.each([
    [['config'], 0],
    [['config', '--json'], 0],
    [['catalogue', 'import'], 0],
    [['topic', 'cat', 'catalogue'], 0],
    [['dlq', 'list', '--json'], 0],
    [['verify', '--json'], 0],
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
    for (const name of Object.keys(settings).filter((name) => name !== 'LOG_LEVEL')) {
      expect(answerOf(ended)).toMatchObject({ [name]: '(hidden)' });
    }
  });

  it('is not in what the HTTP server answers', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics', '/v1/models', '/v1/stats', '/nothing']) {
      expectNoSecret((await all.ask(path)).body);
    }
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
