import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { becomeOwner, findOwner, type Owner, type OwnerOptions } from '../../src/database/owner.js';
import { type OwnerLock, ownerLockHolder, takeOwnerLock } from '../../src/database/owner-lock.js';
import { livePostmaster } from '../../src/database/postmaster.js';
import type { AiRouterError } from '../../src/errors.js';
import { testDatabaseUrl } from '../postgres.js';
import { useDataDirs } from './data-dirs.js';

describe('becomeOwner', () => {
  const dirs = useDataDirs(); // First, for what is declared last is cleaned up first.
  let owners: Owner[] = [];
  afterEach(async () => {
    await Promise.all(owners.map((owner) => owner.release()));
    owners = [];
  });
  async function own(dataDir: string, options: Partial<OwnerOptions> = {}): Promise<Owner> {
    const owner = await becomeOwner({
      dataDir,
      namespace: '',
      databaseUrl: null,
      onProgress: () => {},
      ...options,
    });
    owners.push(owner);
    return owner;
  }

  async function killSessions(databaseUrl: string): Promise<void> {
    const client = new Client({ connectionString: databaseUrl });
    client.on('error', () => {});
    await client.connect();
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name like 'airouter owner%'`,
    );
    await client.end();
  }

  async function answers(databaseUrl: string): Promise<unknown> {
    const client = new Client({ connectionString: databaseUrl });
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query<{ n: number }>('select 1 as n');
    await client.end();
    return rows[0]!.n;
  }

  it('lets one process own a folder, and names it to the second', async () => {
    const dataDir = await dirs.newFolder();
    const owner = await own(dataDir);
    await owner.publish(4321);
    await expect(own(dataDir)).rejects.toMatchObject({
      code: 'already_running',
      message: `${dataDir} belongs to process ${process.pid} on port 4321.`,
    });
    expect(await answers(owner.databaseUrl)).toBe(1);
  });

  it('makes one owner of several that start at the same moment', async () => {
    const dataDir = await dirs.newFolder();
    const results = await Promise.allSettled([own(dataDir), own(dataDir), own(dataDir)]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') {
        expect(result.reason).toMatchObject({ code: 'already_running' });
      }
    }
  });

  it('tells commands where to attach, and nobody else (I12)', async () => {
    const dataDir = await dirs.newFolder();
    expect(await findOwner(dataDir)).toBeNull();
    const owner = await own(dataDir, { namespace: 'demo' });
    await owner.publish(4321);
    expect(await findOwner(dataDir)).toEqual({
      pid: process.pid,
      port: 4321,
      namespace: 'demo',
      databaseUrl: owner.databaseUrl,
      token: owner.token,
    });
    expect((await stat(join(dataDir, 'owner.json'))).mode & 0o777).toBe(0o600);
  });

  it('stops Postgres on release, and the next owner starts it', async () => {
    const dataDir = await dirs.newFolder();
    const owner = await own(dataDir);
    await owner.release();
    expect(await livePostmaster(join(dataDir, 'postgres'))).toBeNull();
    expect(await findOwner(dataDir)).toBeNull();
    const next = await own(dataDir);
    expect(await answers(next.databaseUrl)).toBe(1);
  });

  it('waits for an owner that is stopping', async () => {
    const dataDir = await dirs.newFolder();
    const owner = await own(dataDir);
    const releasing = owner.release();
    const next = await own(dataDir);
    await releasing;
    expect(await answers(next.databaseUrl)).toBe(1);
    expect(await findOwner(dataDir)).not.toBeNull();
  });

  it('waits while the holder of the lock has not said who it is', async () => {
    const dataDir = await dirs.newFolder();
    await mkdir(dataDir);
    const databaseUrl = await testDatabaseUrl();
    const lock = await takeOwnerLock(databaseUrl, dataDir);
    let isOwner = false;
    const owning = own(dataDir, { databaseUrl }).then(() => {
      isOwner = true;
    });
    for (let n = 0; n < 50; n += 1) await ownerLockHolder(databaseUrl, dataDir);
    expect(isOwner).toBe(false);
    await (lock as OwnerLock).release();
    await owning;
    expect(await findOwner(dataDir)).toMatchObject({ pid: process.pid });
  });

  it('takes the lock again when its session broke', async () => {
    const dataDir = await dirs.newFolder();
    const owner = await own(dataDir);
    await killSessions(owner.databaseUrl);
    await vi.waitFor(async () => expect(await findOwner(dataDir)).not.toBeNull(), 60_000);
    await expect(own(dataDir)).rejects.toMatchObject({ code: 'already_running' });
  });

  it('brings a killed server back at the same address (I1)', async () => {
    const dataDir = await dirs.newFolder();
    const owner = await own(dataDir);
    for (let turn = 0; turn < 2; turn += 1) {
      const { pid } = (await livePostmaster(join(dataDir, 'postgres')))!;
      process.kill(pid, 'SIGKILL');
      await vi.waitFor(async () => {
        expect((await livePostmaster(join(dataDir, 'postgres')))?.pid).not.toBe(pid);
        expect(await answers(owner.databaseUrl)).toBe(1);
        expect(await findOwner(dataDir)).not.toBeNull();
      }, 60_000);
    }
  });

  it('says so when another process took the folder meanwhile', async () => {
    const dataDir = await dirs.newFolder();
    const lost: AiRouterError[] = [];
    const databaseUrl = await testDatabaseUrl();
    const owner = await own(dataDir, { databaseUrl, onLost: (error) => lost.push(error) });
    await vi.waitFor(async () => {
      // Faster than the owner: it asks for the lock before its session ends.
      const rival = new Client({ connectionString: databaseUrl });
      rival.on('error', () => {});
      await rival.connect();
      const key = await rival.query<{ key: string }>(
        `select (classid::bigint << 32 | objid::bigint)::text as key from pg_locks
          where locktype = 'advisory' and objsubid = 1`,
      );
      const waiting = rival.query('select pg_advisory_lock($1)', [key.rows[0]!.key]);
      await killSessions(databaseUrl);
      await waiting;
      await vi.waitFor(() => expect(lost).toHaveLength(1), 5_000);
      await rival.end();
    }, 60_000);
    expect(lost[0]).toMatchObject({ code: 'already_running' });
    await owner.release();
  });

  it('owns a folder also where the database is a real one, and leaves that running', async () => {
    const dataDir = await dirs.newFolder();
    const databaseUrl = await testDatabaseUrl();
    const owner = await own(dataDir, { databaseUrl });
    await expect(own(dataDir, { databaseUrl })).rejects.toMatchObject({
      code: 'already_running',
    });
    const other = await own(await dirs.newFolder(), { databaseUrl });
    await owner.release();
    await other.release();
    expect(await answers(databaseUrl)).toBe(1);
  });

  it('names host and port, and no password, where the database cannot be reached (I12)', async () => {
    const databaseUrl = 'postgres://user:hunter2@127.0.0.1:1/postgres';
    const error = await own(await dirs.newFolder(), { databaseUrl }).catch((reason) => reason);
    expect(error).toMatchObject({
      code: 'database_unavailable',
      message: 'Postgres at 127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1',
    });
  });
});
