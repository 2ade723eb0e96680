import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { findOwner } from '../../src/database/owner.js';
import { livePostmaster } from '../../src/database/postmaster.js';
import { packageRoot } from '../../src/package-root.js';
import { useDataDirs } from './data-dirs.js';

/** Owns the folder until its standard input ends. */
const PROGRAM = `
  import { becomeOwner } from ${JSON.stringify(join(packageRoot, 'dist/src/database/owner.js'))};
  const owner = await becomeOwner({
    dataDir: process.argv[1], namespace: '', databaseUrl: null, onProgress: () => {},
  });
  await owner.publish(4321);
  console.log(owner.databaseUrl);
  process.stdin.resume().once('end', () => owner.release());
`;

describe('an owner in a process of its own', () => {
  const dirs = useDataDirs(); // First, for what is declared last is cleaned up first.
  let processes: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.stdin!.end();
      await once(child, 'exit');
    }
    processes = [];
  });
  async function startOwner(dataDir: string): Promise<{ child: ChildProcess; url: string }> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, dataDir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    processes.push(child);
    for await (const url of createInterface({ input: child.stdout })) return { child, url };
    throw new Error('the owner ended');
  }

  async function query(url: string, text: string): Promise<unknown[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(text);
    await client.end();
    return rows;
  }

  it('is followed at once when it was killed, by one that adopts its server (I1)', async () => {
    const dataDir = await dirs.newFolder();
    const first = await startOwner(dataDir);
    await query(first.url, 'create table kept as select 7 as n');
    const server = await livePostmaster(join(dataDir, 'postgres'));
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');

    const second = await startOwner(dataDir);
    expect(second.url).toBe(first.url);
    expect(await livePostmaster(join(dataDir, 'postgres'))).toEqual(server);
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 7 }]);
    expect(await findOwner(dataDir)).toMatchObject({ pid: second.child.pid, port: 4321 });
  });

  it('ends its server with itself', async () => {
    const dataDir = await dirs.newFolder();
    const { child } = await startOwner(dataDir);
    child.stdin!.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await livePostmaster(join(dataDir, 'postgres'))).toBeNull();
  });
});
