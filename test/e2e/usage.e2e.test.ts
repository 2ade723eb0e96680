import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { AiRouter, type Environment, sentenceOf, serverOf } from './airouter.js';

const airouter = new AiRouter();
afterAll(() => airouter.close());

const PASSWORD = 'plantedsecret';
/** Nobody listens there: only root may. */
const NOBODY = `postgres://someone:${PASSWORD}@127.0.0.1:1/some`;

/** The exit code and the sentence of a command that is refused, without its last full stop. */
async function refusal(args: readonly string[], environment: Environment = {}, dataDir?: string) {
  const ended = await airouter.run(dataDir ?? (await airouter.newDataDir()), args, environment);
  expect(ended.stderr).not.toMatch(/^ +at /m);
  expect(ended.stderr).not.toContain(PASSWORD);
  return `${ended.code} ${sentenceOf(ended)}`;
}

describe('a command line that is wrong', () => {
  it.each([
    [['bogus'], "airouter: unknown command 'bogus' (invalid_usage)"],
    [['verfy'], "airouter: unknown command 'verfy' (Did you mean verify?) (invalid_usage)"],
    [['all', '--bogus'], "airouter: unknown option '--bogus' (invalid_usage)"],
    [
      ['all', 'extra'],
      "airouter: too many arguments for 'all'. Expected 0 arguments but got 1 (invalid_usage)",
    ],
    [['topic', 'cat'], "airouter: missing required argument 'topic' (invalid_usage)"],
    [['policy', 'show'], 'airouter: policy show needs a name (invalid_usage)'],
    [
      ['catalogue', 'bogus'],
      'airouter: catalogue: the action must be import, got "bogus" (invalid_usage)',
    ],
    [
      ['catalogue', 'import', '/nowhere.json'],
      'airouter: /nowhere.json cannot be read (invalid_usage)',
    ],
    [
      ['topic', 'cat', 'outcomes', '--from', 'x'],
      'airouter: --from must be a whole number, 0 or more, got "x" (invalid_usage)',
    ],
    [
      ['topic', 'cat', 'outcomes', '--partition', '-1'],
      'airouter: --partition must be a whole number, 0 or more, got "-1" (invalid_usage)',
    ],
    [
      ['demo', '--seed', 'x'],
      'airouter: --seed must be an integer of 0..999999999, got "x" (invalid_usage)',
    ],
    [
      ['all', '--namespace', 'Two Words'],
      'airouter: AIROUTER_NAMESPACE must be empty or [a-z][a-z0-9_]{0,19}, got "Two Words" (invalid_setting)',
    ],
  ])('%j is one sentence and exit code 2', async (args, sentence) => {
    expect(await refusal(args)).toBe(`2 ${sentence}`);
  });

  it('is helped by --help, and by the version', async () => {
    const dataDir = await airouter.newDataDir();
    expect(await airouter.run(dataDir, ['--help'])).toMatchObject({ code: 0, stderr: '' });
    const text = await readFile(join(packageRoot, 'package.json'), 'utf8');
    const manifest = JSON.parse(text) as { version: string };
    expect(await airouter.run(dataDir, ['--version'])).toMatchObject({
      code: 0,
      stdout: `${manifest.version}\n`,
    });
  });
});

describe('a setting that is wrong', () => {
  it.each([
    ['AIROUTER_FOO', '1', 'AIROUTER_FOO is not a setting; see docs/settings.md'],
    ['PORT', 'abc', 'PORT must be an integer of 0..65535, got "abc"'],
    ['PORT', '65536', 'PORT must be an integer of 0..65535, got "65536"'],
    ['DB_POOL_SIZE', '1', 'DB_POOL_SIZE must be an integer of 2..1000, got "1"'],
    [
      'LOG_LEVEL',
      'loud',
      'LOG_LEVEL must be one of fatal, error, warn, info, debug, silent, got "loud"',
    ],
    ['AIROUTER_DECISION_LOG', '1.5', 'AIROUTER_DECISION_LOG must be a number of 0..1, got "1.5"'],
    [
      'DATABASE_URL',
      'mysql://x',
      'DATABASE_URL must be a postgres:// URL, got a value that is not',
    ],
    [
      'DATABASE_URL',
      `postgres://u:${PASSWORD}#x@h/db`,
      'DATABASE_URL must be a postgres:// URL, got a value that is not',
    ],
    [
      'REDIS_URL',
      `http://:${PASSWORD}@h`,
      'REDIS_URL must be redis:// or rediss:// URLs, comma separated, got a value that is not',
    ],
  ])('%s=%s is named with its rule, exit code 2 (I12)', async (name, value, sentence) => {
    expect(await refusal(['all'], { [name]: value })).toBe(
      `2 airouter: ${sentence} (invalid_setting)`,
    );
  });

  it('HOST of another machine is named, and nothing stays', async () => {
    const dataDir = await airouter.newDataDir();
    expect(await refusal(['all'], { HOST: '192.0.2.1', LOG_LEVEL: 'error' }, dataDir)).toBe(
      '2 airouter: HOST 192.0.2.1 with PORT 0 cannot be listened on (invalid_setting)',
    );
    expect(await serverOf(dataDir)).toBeNull();
  });

  it('a data folder that cannot be one is named', async () => {
    const dataDir = await airouter.newDataDir();
    await writeFile(`${dataDir}-file`, '');
    expect(await refusal(['all'], { AIROUTER_DATA_DIR: `${dataDir}-file` })).toMatch(
      /^2 airouter: AIROUTER_DATA_DIR must be a folder that can be made and written to, got "[^"]+": EEXIST \(invalid_setting\)$/,
    );
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'letter.txt'), 'mine');
    expect(await refusal(['all'], {}, dataDir)).toMatch(
      /^2 airouter: AIROUTER_DATA_DIR must be .*; .* holds other files\. \(invalid_setting\)$/,
    );
    expect(existsSync(join(dataDir, 'postgres', 'letter.txt'))).toBe(true);
  });
});

describe('a service that is missing', () => {
  it.each([['all'], ['project'], ['verify'], ['demo']])(
    'the database of `%s` is named, exit code 3 (I12)',
    async (command) => {
      const environment = { DATABASE_URL: NOBODY, REDIS_URL: 'redis://127.0.0.1:1' };
      expect(await refusal([command], environment)).toBe(
        '3 airouter: Postgres at 127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1 (database_unavailable)',
      );
    },
  );

  it('`route` needs REDIS_URL', async () => {
    expect(await refusal(['route'])).toBe(
      '2 airouter: REDIS_URL is not set: a router of its own needs the hot keys in Redis (owner_required)',
    );
  });

  it('`project` needs an owner', async () => {
    const dataDir = await airouter.newDataDir();
    expect(await refusal(['project'], {}, dataDir)).toBe(
      `2 airouter: DATABASE_URL is not set and nobody owns ${dataDir}: start \`airouter all\` first (owner_required)`,
    );
    expect(existsSync(dataDir)).toBe(false);
  });
});

describe('a database that does not fit', () => {
  let dataDir: string;
  let databaseUrl: string;
  beforeAll(async () => {
    dataDir = await airouter.newDataDir();
    await airouter.startAll(dataDir);
    const owner = await readFile(join(dataDir, 'owner.json'), 'utf8');
    databaseUrl = (JSON.parse(owner) as { databaseUrl: string }).databaseUrl;
  });

  it('a wrong password is named, not shown (I12)', async () => {
    const wrong = new URL(databaseUrl);
    wrong.password = PASSWORD;
    expect(await refusal(['all'], { DATABASE_URL: wrong.href })).toBe(
      `2 airouter: DATABASE_URL must name a database that can be entered; Postgres at ${wrong.host} says: password authentication failed for user "airouter" (invalid_setting)`,
    );
  });

  it('a database that is not there is named', async () => {
    const wrong = new URL(databaseUrl);
    wrong.pathname = '/nowhere';
    expect(await refusal(['verify'], { DATABASE_URL: wrong.href })).toContain(
      'says: database "nowhere" does not exist (invalid_setting)',
    );
  });

  it('a namespace without a projection is said', async () => {
    for (const args of [['verify'], ['dlq', 'list']]) {
      expect(await refusal([...args, '--namespace', 'other'], {}, dataDir)).toBe(
        '2 airouter: There is no projection other_airouter_v1 yet: start `airouter all` first, ' +
          'or name its --namespace (invalid_usage)',
      );
    }
  });

  it('a topic and a partition that are not there are named', async () => {
    expect(await refusal(['topic', 'cat', 'nothing'], {}, dataDir)).toBe(
      '2 airouter: there is no topic nothing (invalid_usage)',
    );
    expect(await refusal(['topic', 'cat', 'catalogue', '--partition', '7'], {}, dataDir)).toBe(
      '2 airouter: --partition must be below 1, the partitions of airouter.catalogue.v1, got 7 (invalid_usage)',
    );
  });

  it('an offset that is not written yet cannot be let pass', async () => {
    const allow = (...options: string[]) => refusal(['dlq', 'allow', ...options], {}, dataDir);
    expect(await allow('--partition', '0')).toBe('2 airouter: --to must be given (invalid_usage)');
    expect(await allow('--partition', '0', '--to', '1')).toBe(
      '2 airouter: --to must be at most 0, the end of airouter.outcomes.v1/0, got 1 (invalid_usage)',
    );
    expect(await allow('--partition', '9', '--to', '0')).toBe(
      '2 airouter: no projection reads airouter.outcomes.v1/9 (invalid_usage)',
    );
    expect(await refusal(['dlq', 'discard', '--all', '--code', 'bogus'], {}, dataDir)).toBe(
      '2 airouter: --code must be one of docs/errors.md, got "bogus" (invalid_usage)',
    );
  });

  it('the demo does not empty a namespace of real records (I1)', async () => {
    const environment = { DATABASE_URL: databaseUrl, AIROUTER_NAMESPACE: 'real' };
    const own = await airouter.newDataDir();
    const imported = await airouter.run(own, ['catalogue', 'import', '--json'], environment);
    expect(imported.code).toBe(0);
    expect(await refusal(['demo', '--once', '--json'], environment, own)).toMatch(
      /^2 airouter: --namespace must be one that only the demo uses, since it empties it, got "real": .* \(invalid_setting\)$/,
    );
    const again = await airouter.run(own, ['catalogue', 'import', '--json'], environment);
    expect(again.stdout).toContain('"appended":0,');
  });

  it.each(['airouter_v1', 'airouter_log'])(
    'a schema of a newer version (%s) is left alone, exit code 2',
    async (schema) => {
      const database = new Client({ connectionString: databaseUrl });
      await database.connect();
      const table = `"${schema}".schema_migration`;
      await database.query(
        `insert into ${table} (name, run_on) values ('0999_from_the_future', now())`,
      );
      const sentence = await refusal(['all'], { DATABASE_URL: databaseUrl });
      await database.query(`delete from ${table} where name = '0999_from_the_future'`);
      await database.end();
      expect(sentence).toBe(
        `2 airouter: Schema ${schema} was migrated by a newer version of AiRouter (0999_from_the_future); start that version. (schema_newer)`,
      );
    },
  );
});
