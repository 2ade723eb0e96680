import { Client } from 'pg';
import { expect, test } from 'vitest';
import { testDatabaseUrl } from '../postgres.js';

// Other tests run on whatever they are given; this one holds each run to its server.

test('a run on the PostgreSQL of the system meets that server, and no other run does', async ({
  task,
}) => {
  const isSystem = (await testDatabaseUrl()) === process.env['TEST_SYSTEM_DATABASE_URL'];
  expect(isSystem).toBe(task.file.projectName === 'system-postgres');
});

test('the server of this run is one that the product works with', async () => {
  const client = new Client({ connectionString: await testDatabaseUrl() });
  await client.connect();
  const { rows } = await client.query<{ major: number }>(
    "select current_setting('server_version_num')::int / 10000 as major",
  );
  await client.end();
  expect(rows[0]!.major).toBeGreaterThanOrEqual(15);
});
