import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RequestOutcome } from '../../src/event/outcome.js';
import { uuidV7 } from '../../src/event/uuid.js';
import { createTraffic } from '../../src/load/traffic.js';
import { createKafkaLog } from '../../src/log/kafka-log.js';
import { topicsOf } from '../../src/log/topics.js';
import { type ProxiedStack, startProxiedStack } from '../faults/proxied-stack.js';
import type { Environment } from '../stack/machine.js';
import { freePorts } from '../stack/ports.js';
import type { Progress } from '../stack/progress.js';
import { makeRunFolder } from '../stack/run-folder.js';
import { Ledger } from './ledger.js';
import { createObserver, type Observer } from './observer.js';
import { programOf, Role } from './role.js';
import { RouterProbe } from './router-probe.js';
import { startWriters, type Writers } from './writers.js';

const run = promisify(execFile);

/** The least that Kafka's brokers take. */
export const SESSION_TIMEOUT_MS = 6_000;
const WATCHDOG_MS = 20_000;
const PARTITIONS = 6;
const NAMESPACE = 'soak';
const OUTCOMES = topicsOf(NAMESPACE).outcomes;
const SETTINGS = {
  AIROUTER_NAMESPACE: NAMESPACE,
  AIROUTER_PARTITIONS: String(PARTITIONS),
  AIROUTER_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
  AIROUTER_WATCHDOG_MS: String(WATCHDOG_MS),
  DB_POOL_SIZE: '5',
};
/** Of the drawn world; any run is shorter. */
const WORLD_SECONDS = 86_400;
/** Drawing one costs more than writing it: they come again with other ids. */
const DRAWN = 2_000;
/**
 * Every other outcome is of the last half hour: what readers hold of it has its size from the first
 * minutes on, and what grows later is no history.
 */
const HISTORY_MS = 1_800_000;
const COMMAND_TIMEOUT_MS = 300_000;

export interface WorldOptions {
  environment: Environment;
  progress: Progress;
  seed: number;
  rate: number;
}

/** The product on a real stack under continuous load: what the faults are done to. */
export interface World {
  services: ProxiedStack;
  roles: { projectors: readonly Role[]; route: Role; ingest: Role };
  ledger: Ledger;
  writers: Writers;
  observer: Observer;
  probe: RouterProbe;
  outcomesTopic: string;
  /** Where `ingest` and `route` listen. */
  urls: { ingest: string; route: string };
  /** Starts one more process of the product, of another build where its `root` is given. */
  role(name: string, more: { environment?: Record<string, string>; root?: string }): Role;
  /** Runs a command of the product on the services themselves; its last line as data. */
  command(...args: string[]): Promise<Record<string, unknown>>;
  /** The same by another build. */
  commandOf(root: string): World['command'];
  close(): Promise<void>;
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const { environment, progress, seed, rate } = options;
  const dir = await makeRunFolder();
  const services = await startProxiedStack(environment, progress);
  const commandOf = (root?: string) => commandOn(services, dir, root);
  const command = commandOf();
  await command('topics', 'create');
  await command('catalogue', 'import');
  const [ingestPort, routePort] = (await freePorts(2)) as [number, number];
  const ingestUrl = `http://127.0.0.1:${ingestPort}`;
  const routeUrl = `http://127.0.0.1:${routePort}`;
  const role: World['role'] = (name, { environment: own, ...build }) => {
    const settings = { AIROUTER_INGEST_URL: ingestUrl, ...SETTINGS, ...services.settings, ...own };
    return new Role({ name, args: [name.split('-')[0]!], dir, environment: settings, ...build });
  };
  const roles = {
    projectors: [role('project-1', {}), role('project-2', {})],
    ingest: role('ingest', { environment: { PORT: String(ingestPort) } }),
    route: role('route', { environment: { PORT: String(routePort) } }),
  };
  const ledger = new Ledger(join(dir, 'acknowledged.ids'));
  const openLog = () => createKafkaLog({ brokers: services.settings.KAFKA_BROKERS.split(',') });
  const logs = [openLog(), openLog()] as const;
  const writers = startWriters({
    logs,
    topic: OUTCOMES,
    partitions: PARTITIONS,
    ledger,
    spoolDir: join(dir, 'spool'),
    ingestUrl,
    rate,
    nextOutcome: outcomesFrom(seed),
  });
  const observer = createObserver(services.stack, NAMESPACE);
  const probe = new RouterProbe(routeUrl, roles.route);
  return {
    services,
    roles,
    ledger,
    writers,
    observer,
    probe,
    outcomesTopic: OUTCOMES,
    urls: { ingest: ingestUrl, route: routeUrl },
    role,
    command,
    commandOf,
    async close() {
      await probe.close();
      await writers.close();
      await Promise.all(allRoles(roles).map((each) => each.stop()));
      await Promise.all([observer, ...logs, ledger].map((each) => each.close()));
      await services.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function commandOn({ stack }: ProxiedStack, dir: string, root?: string): World['command'] {
  return async (...args) => {
    const program = [programOf(root), ...args, '--json'];
    const env = {
      ...SETTINGS,
      PATH: process.env['PATH'],
      AIROUTER_DATA_DIR: join(dir, 'data'),
      KAFKA_BROKERS: stack.kafkaBrokers!,
      REDIS_URL: stack.redisUrl!,
      DATABASE_URL: stack.databaseUrl!,
    };
    const limits = { env, timeout: COMMAND_TIMEOUT_MS, maxBuffer: 67_108_864 };
    // Its answer counts also where a check failed.
    const { stdout } = await run(process.execPath, program, limits).catch((error) => {
      if (error.code !== 1) throw error;
      return error as { stdout: string };
    });
    return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>;
  };
}

function outcomesFrom(seed: number): () => RequestOutcome {
  const traffic = createTraffic(String(seed), Date.now(), WORLD_SECONDS);
  const drawn = Array.from({ length: DRAWN }, (_, n) =>
    traffic.outcome(n, traffic.request(n), Date.now()),
  );
  let made = 0;
  return () => {
    const nowMs = Date.now();
    const event_id = uuidV7(nowMs, randomBytes(16));
    made += 1;
    const agoMs = made % 2 === 0 ? 0 : Math.floor(Math.random() * HISTORY_MS);
    return { ...drawn[made % DRAWN]!, event_id, occurred_at: nowMs - agoMs };
  };
}

export function allRoles({ projectors, route, ingest }: World['roles']): readonly Role[] {
  return [...projectors, route, ingest];
}
