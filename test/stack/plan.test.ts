import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { inspectMachine, type Machine } from '../../ops/stack/machine.js';
import { planStack, type Wanted } from '../../ops/stack/plan.js';

const ALL: Wanted = { kafka: 3, redis: 'cluster', postgres: 'embedded' };
const FULL: Machine = {
  isRoot: false,
  compose: null,
  aptGet: null,
  java: { path: '/opt/java/bin/java', major: 17 },
  maven: '/opt/mvn',
  hasKafkaJars: false,
  redisServer: '/opt/redis-server',
  hasEmbeddedPostgres: true,
  systemPostgres: null,
  cacheDir: '/tmp/cache',
};
const BARE: Machine = { ...FULL, java: null, maven: null, redisServer: null };

const dir = mkdtempSync(join(tmpdir(), 'airouter-plan-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function program(name: string, script: string): void {
  mkdirSync(join(name, '..'), { recursive: true });
  writeFileSync(name, `#!/bin/sh\n${script}\n`);
  chmodSync(name, 0o755);
}

test('a machine that has everything starts local processes and installs nothing', () => {
  const plan = planStack(ALL, FULL, {});
  expect(plan.map((part) => [part.service, part.source, part.packages])).toEqual([
    ['kafka', 'local', []],
    ['redis', 'local', []],
    ['postgres', 'local', []],
  ]);
});

test('root with apt installs what is missing', () => {
  const plan = planStack(ALL, { ...BARE, isRoot: true, aptGet: '/usr/bin/apt-get' }, {});
  expect(plan.map((part) => part.packages)).toEqual([
    ['default-jre-headless', 'maven'],
    ['redis-server'],
    [],
  ]);
  expect(plan[1]?.sentence).toContain('apt-get install -y redis-server');
});

test('without root, each missing service is one sentence with what to install', () => {
  const plan = planStack(ALL, { ...BARE, aptGet: '/usr/bin/apt-get' }, {});
  expect(plan.map((part) => part.source)).toEqual(['unavailable', 'unavailable', 'local']);
  expect(plan[0]?.sentence).toBe(
    'kafka needs Java 17 or newer and Maven: install it (apt-get install -y default-jre-headless maven) or set KAFKA_BROKERS.',
  );
  expect(plan[1]?.sentence).toContain('or set REDIS_URL');
});

test('what a variable names is used as it is, whatever the machine has', () => {
  const environment = {
    KAFKA_BROKERS: 'k:9092',
    REDIS_URL: 'redis://r',
    DATABASE_URL: 'postgres://p',
  };
  const plan = planStack(ALL, BARE, environment);
  expect(plan.map((part) => part.source)).toEqual(['variable', 'variable', 'variable']);
});

test('a working docker compose stands over local processes, but not over a variable', () => {
  const plan = planStack(ALL, { ...BARE, compose: '/usr/bin/docker' }, { REDIS_URL: 'redis://r' });
  expect(plan.map((part) => part.source)).toEqual(['compose', 'variable', 'compose']);
});

test('an old Java counts as none, and cached jars need no Maven', () => {
  const java = { path: '/opt/java/bin/java', major: 11 };
  expect(planStack(ALL, { ...FULL, java }, {})[0]?.source).toBe('unavailable');
  expect(planStack(ALL, { ...FULL, maven: null, hasKafkaJars: true }, {})[0]?.source).toBe('local');
});

test('a service that is not wanted is not in the plan', () => {
  expect(planStack({ kafka: 0, redis: 'none', postgres: 'none' }, BARE, {})).toEqual([]);
});

test('a PATH without the programs finds none of them', () => {
  const machine = inspectMachine({ PATH: join(dir, 'empty'), XDG_CACHE_HOME: join(dir, 'cache') });
  expect(machine).toMatchObject({ java: null, maven: null, redisServer: null, aptGet: null });
  expect(machine).toMatchObject({ compose: null, hasKafkaJars: false });
  expect(machine.cacheDir).toBe(join(dir, 'cache', 'airouter'));
});

test('a JAVA_HOME that is too old gives way to a newer Java in the PATH', () => {
  const old = join(dir, 'old');
  program(join(old, 'bin', 'java'), `echo 'openjdk version "11.0.2"' >&2`);
  program(join(dir, 'new', 'java'), `echo 'openjdk version "21"' >&2`);
  const machine = inspectMachine({ JAVA_HOME: old, PATH: join(dir, 'new') });
  expect(machine.java).toEqual({ path: join(dir, 'new', 'java'), major: 21 });
});
