import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, type TestContext, test } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { packageRoot } from '../../src/package-root.js';
import { composeReader, runTool } from './tools.js';

interface Service {
  image: string;
  command?: string[];
  environment?: Record<string, string>;
  ports?: { host_ip?: string }[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  read_only?: boolean;
  user?: string;
  cap_drop?: string[];
  security_opt?: string[];
  restart?: string;
  deploy?: { resources?: { limits?: { cpus?: number; memory?: string; pids?: number } } };
}

interface Project {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

const FILE = 'docker-compose.yml';
const ROLES = ['ingest', 'project', 'route'];
const ONCE = ['topics', 'catalogue'];
const OURS = [...ROLES, ...ONCE];

let missing: string | null = null;
let project: Project;
let read: (environment: Record<string, string>) => Promise<Project>;

beforeAll(async () => {
  const tool = await composeReader();
  if ('missing' in tool) missing = tool.missing;
  else read = async (environment) => JSON.parse(await runTool(tool, FILE, environment));
  if (missing === null) project = await read({});
}, 300_000);

const needsReader = (context: TestContext) => {
  if (missing !== null) context.skip(missing);
};
const of = (names: readonly string[]): Service[] => names.map((name) => project.services[name]!);

test('docker compose accepts the file, and it holds every role and service', (context) => {
  needsReader(context);
  expect(Object.keys(project.services).sort()).toEqual(
    [...OURS, 'kafka', 'postgres', 'redis'].sort(),
  );
  expect(Object.keys(project.volumes).sort()).toEqual(['kafka', 'postgres']);
});

test('the settings of each role are settings, with values that hold', (context) => {
  needsReader(context);
  for (const { environment } of of(OURS)) expect(() => loadConfig(environment!)).not.toThrow();
});

test('each role has the addresses that it needs and no other', (context) => {
  needsReader(context);
  const addresses = ['KAFKA_BROKERS', 'DATABASE_URL', 'REDIS_URL'];
  const given = (name: string) => {
    const { environment } = project.services[name]!;
    return addresses.filter((address) => environment![address] !== undefined);
  };
  expect(given('route')).toEqual(['REDIS_URL']);
  expect(given('project')).toEqual(addresses);
  expect(given('ingest')).toEqual(['KAFKA_BROKERS']);
  expect(given('topics')).toEqual(['KAFKA_BROKERS']);
});

test.for(OURS)('%s is a command of the product, with the options given', async (name, context) => {
  needsReader(context);
  const [command = '', ...options] = project.services[name]!.command!;
  const main = join(packageRoot, 'dist/src/main.js');
  const { stdout } = await promisify(execFile)('node', [main, command, '--help']);
  expect(stdout).toContain(`airouter ${command}`);
  for (const option of options) if (option.startsWith('--')) expect(stdout).toContain(option);
});

test('our processes write only in memory, gain no rights, and have limits', (context) => {
  needsReader(context);
  for (const service of Object.values(project.services)) {
    const { cpus, memory, pids } = service.deploy?.resources?.limits ?? {};
    expect([typeof cpus, typeof memory, typeof pids]).not.toContain('undefined');
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
  }
  for (const service of of([...OURS, 'postgres', 'redis'])) expect(service.read_only).toBe(true);
});

test('no port is open to other machines', (context) => {
  needsReader(context);
  const ports = Object.values(project.services).flatMap((service) => service.ports ?? []);
  expect(ports.length).toBeGreaterThan(0);
  for (const port of ports) expect(port.host_ip).toBe('127.0.0.1');
});

test('services are asked for their health, and roles wait for what they cannot be without', (context) => {
  needsReader(context);
  for (const service of of(['kafka', 'postgres', 'redis', 'route'])) {
    expect(service.healthcheck!.test!.length).toBeGreaterThan(1);
  }
  const conditions = (name: string) =>
    Object.entries(project.services[name]!.depends_on!).map(([on, { condition }]) => [
      on,
      condition,
    ]);
  expect(Object.fromEntries(conditions('project'))).toEqual({
    topics: 'service_completed_successfully',
    postgres: 'service_healthy',
    redis: 'service_healthy',
  });
  // I10: it answers without Redis too, so it does not wait until Redis answers.
  expect(Object.fromEntries(conditions('route'))).toEqual({ redis: 'service_started' });
  for (const service of of(ROLES)) expect(service.restart).toBe('unless-stopped');
  for (const service of of(ONCE)) expect(service.restart).toBe('no');
});

test('Redis is the cache that the product is made for', (context) => {
  needsReader(context);
  const command = project.services['redis']!.command!.join(' ');
  expect(command).toContain('--maxmemory 256mb');
  expect(command).toContain('--maxmemory-policy allkeys-lru');
});

test('the folder of keys is mounted for the roles that serve callers', async (context) => {
  needsReader(context);
  const { services } = await read({ KEYS_DIR: '/tmp/keys', ROUTER_KEY: 'given' });
  for (const name of ['ingest', 'route']) {
    const file = services[name]!.environment!['AIROUTER_KEYS_FILE'];
    expect(file).toBe('/run/airouter-keys/keys.jsonl');
    expect(JSON.stringify(services[name])).toContain('/tmp/keys');
    expect(project.services[name]!.environment!['AIROUTER_KEYS_FILE']).toBe('');
  }
  expect(services['route']!.environment!['AIROUTER_KEY']).toBe('given');
});

test('passwords come from the environment', async (context) => {
  needsReader(context);
  const given = await read({ POSTGRES_PASSWORD: 'p-1', REDIS_PASSWORD: 'r-1' });
  const text = JSON.stringify(given);
  expect(text).toContain('postgres://airouter:p-1@postgres');
  expect(text).toContain('redis://airouter:r-1@redis');
  expect(text).not.toContain(':airouter@');
});
