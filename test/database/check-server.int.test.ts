import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { FaultProxy } from '../../ops/faults/fault-proxy.js';
import { checkServer } from '../../src/database/check-server.js';
import { createPool } from '../../src/database/connect.js';
import { testDatabaseUrl } from '../postgres.js';
import { pooler } from './pooler.js';

async function check(url: string): Promise<void> {
  const pool = createPool(url, {
    poolSize: 2,
    statementTimeoutMs: 20_000,
    lockTimeoutMs: 5_000,
    applicationName: 'airouter check test',
  });
  await checkServer(pool, url, 20_000).finally(() => pool.end());
}

test('a server that keeps the settings of its sessions is good', async () => {
  await expect(check(await testDatabaseUrl())).resolves.toBeUndefined();
});

test('I1 a connection that breaks under its first question is an outage, and ends no process', async () => {
  const url = new URL(await testDatabaseUrl());
  const proxy = await FaultProxy.open(Number(url.port));
  url.port = String(proxy.port);
  const lost = proxy.loseReplyTo(Buffer.from('server_version_num'));
  await expect(check(url.href)).rejects.toMatchObject({ code: 'database_unavailable' });
  await lost;
  await proxy.close();
});

test('a pooler that drops the settings of a session is refused at start, in one sentence', async () => {
  const between = await pooler(await testDatabaseUrl());
  await expect(check(between.url)).rejects.toMatchObject({
    code: 'invalid_setting',
    message: expect.stringMatching(
      /keeps a session and its settings.* is a pooler that gives statement_timeout 0 ms where 20000/,
    ),
  });
  await between.close();
});

test('a pooler that refuses our settings is no outage that would be waited for', async () => {
  const text = 'unsupported startup parameter: statement_timeout';
  const fields = Buffer.from(`SFATAL\0VFATAL\0C08P01\0M${text}\0\0`);
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeInt32BE(fields.length + 4, 1);
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(Buffer.concat([head, fields])));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await expect(check(`postgres://user:hunter2@127.0.0.1:${port}/x`)).rejects.toMatchObject({
    code: 'invalid_setting',
    message: expect.stringContaining(text),
  });
  await new Promise((resolve) => server.close(resolve));
});
