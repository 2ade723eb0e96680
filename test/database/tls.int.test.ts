import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { checkServer } from '../../src/database/check-server.js';
import { createPool } from '../../src/database/connect.js';
import { migrate } from '../../src/database/migrate.js';
import { takeOwnerLock } from '../../src/database/owner-lock.js';
import { testDatabaseUrl } from '../postgres.js';
import { selfSigned, tlsServer } from './tls-server.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

const folder = mkdtempSync(join(tmpdir(), 'airouter-tls-'));
let databaseUrl: string;
beforeAll(async () => {
  databaseUrl = await testDatabaseUrl();
});
afterAll(() => rmSync(folder, { recursive: true }));

let closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers) await close();
  closers = [];
});

/** Enters the database as a start does. */
async function enter(url: string): Promise<void> {
  const pool = createPool(url, {
    poolSize: 2,
    statementTimeoutMs: 20_000,
    lockTimeoutMs: 5_000,
    applicationName: 'airouter tls test',
  });
  await checkServer(pool, url, 20_000).finally(() => pool.end());
}

async function serverWith(certificate: Parameters<typeof tlsServer>[1]) {
  const server = await tlsServer(databaseUrl, certificate);
  closers.push(server.close);
  return server;
}

const refused = (reason: RegExp) => ({
  code: 'invalid_setting',
  message: expect.stringMatching(reason),
});

test.beforeEach(({ skip }) => {
  if (!hasOpenssl) skip('openssl is not in the PATH: no certificate can be made');
});

test('verify-full enters a server whose certificate and name are right, and no other (I12)', async () => {
  const right = selfSigned(folder, 'right', 'IP:127.0.0.1');
  const other = selfSigned(folder, 'other', 'IP:127.0.0.1');
  const server = await serverWith(right);
  const urlWith = (file: string) => server.url(`sslmode=verify-full&sslrootcert=${file}`);
  await enter(urlWith(right.certificateFile));

  const wrongAuthority = refused(/127\.0\.0\.1:\d+ says: .*self-signed certificate/);
  await expect(enter(urlWith(other.certificateFile))).rejects.toMatchObject(wrongAuthority);
  await expect(enter(server.url('sslmode=verify-full'))).rejects.toMatchObject(wrongAuthority);
  const { password } = new URL(databaseUrl);
  const error = await enter(server.url('sslmode=verify-full')).catch(String);
  expect(error).not.toContain(password);

  const elsewhere = selfSigned(folder, 'elsewhere', 'DNS:postgres.example');
  const misnamed = await serverWith(elsewhere);
  const url = misnamed.url(`sslmode=verify-full&sslrootcert=${elsewhere.certificateFile}`);
  await expect(enter(url)).rejects.toMatchObject(refused(/does not match certificate's altnames/));
});

test('every way in checks the certificate: migrations and the lock of the data folder too', async () => {
  const server = await serverWith(selfSigned(folder, 'unknown', 'IP:127.0.0.1'));
  const url = server.url('sslmode=verify-full');
  const wrong = refused(/self-signed certificate/);
  await expect(migrate(url, { schema: 'never', folder: '.' })).rejects.toMatchObject(wrong);
  await expect(takeOwnerLock(url, '.')).rejects.toMatchObject(wrong);
});

test('verify-full never goes on without TLS, and a missing file of authorities is named', async () => {
  const server = await serverWith('refuse');
  await expect(enter(server.url('sslmode=verify-full'))).rejects.toMatchObject(
    refused(/does not support SSL/),
  );
  await expect(
    enter(server.url('sslmode=verify-full&sslrootcert=/nowhere/ca.pem')),
  ).rejects.toMatchObject(refused(/\/nowhere\/ca\.pem/));
});
