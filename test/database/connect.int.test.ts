import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createPool, withTransaction } from '../../src/database/connect.js';
import { type TestDatabase, testDatabase } from '../postgres.js';

const NAME = 'airouter connect test';

let database: TestDatabase;
let pool: Pool;
let table: string;

beforeAll(async () => {
  database = await testDatabase();
  const schema = database.schema('connect');
  table = `"${schema}".t`;
  await database.pool.query(`create schema "${schema}"`);
  await database.pool.query(`create table ${table} (id int primary key, n int not null)`);
  pool = createPool(database.databaseUrl, {
    poolSize: 4,
    statementTimeoutMs: 2_000,
    lockTimeoutMs: 200,
    applicationName: NAME,
  });
});
afterAll(async () => {
  await pool.end();
  await database.close();
});

const unavailable = (sqlState: string) => ({
  code: 'database_unavailable',
  message: expect.stringContaining(sqlState),
});

async function killConnections(): Promise<void> {
  await database.pool.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
    [NAME],
  );
}

describe('createPool', () => {
  it('reads int8 as a number, and refuses what a number cannot hold', async () => {
    const { rows } = await pool.query(
      'select 9007199254740991::int8 as n, sum(n) as s from (values (1::int8)) as v (n)',
    );
    expect(rows).toEqual([{ n: Number.MAX_SAFE_INTEGER, s: '1' }]);
    await expect(pool.query('select 9007199254740992::int8 as n')).rejects.toThrow('beyond 2^53');
    expect((await pool.query('select 1::int8 as n')).rows).toEqual([{ n: 1 }]);
  });

  it('does not wait for the disk where what is written can be made again', async () => {
    const options = { poolSize: 1, statementTimeoutMs: 2_000, lockTimeoutMs: 200 };
    const disposable = createPool(database.databaseUrl, {
      ...options,
      isDisposable: true,
      applicationName: NAME,
    });
    const { rows } = await disposable.query('show synchronous_commit');
    await disposable.end();
    expect(rows).toEqual([{ synchronous_commit: 'off' }]);
  });

  it('sets the limits and the time zone of its sessions', async () => {
    const { rows } = await pool.query(
      `select name, setting from pg_settings where name in
         ('TimeZone', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
          'synchronous_commit')
        order by name collate "C"`,
    );
    expect(rows).toEqual([
      { name: 'TimeZone', setting: 'UTC' },
      { name: 'idle_in_transaction_session_timeout', setting: '60000' },
      { name: 'lock_timeout', setting: '200' },
      { name: 'statement_timeout', setting: '2000' },
      { name: 'synchronous_commit', setting: 'on' },
    ]);
  });

  it('outlives the end of connections that nobody uses', async () => {
    await Promise.all([1, 2, 3].map(() => pool.query('select pg_sleep(0.01)')));
    await killConnections();
    await vi.waitFor(
      async () => expect((await pool.query('select 1 as n')).rows).toEqual([{ n: 1 }]),
      60_000,
    );
  });
});

describe('withTransaction', () => {
  const insert = (id: number) => `insert into ${table} values (${id}, 0)`;
  const has = async (id: number): Promise<boolean> =>
    (await database.pool.query(`select from ${table} where id = $1`, [id])).rowCount === 1;

  it('commits what resolves, and nothing of what rejects (I4)', async () => {
    const result = await withTransaction(pool, 'read committed', async (client) => {
      await client.query(insert(1));
      return 'done';
    });
    expect(result).toBe('done');
    const bug = new TypeError('a defect');
    await expect(
      withTransaction(pool, 'read committed', async (client) => {
        await client.query(insert(2));
        throw bug;
      }),
    ).rejects.toBe(bug);
    expect([await has(1), await has(2)]).toEqual([true, false]);
  });

  it('gives the isolation that is asked for', async () => {
    for (const isolation of ['read committed', 'repeatable read', 'serializable'] as const) {
      const { rows } = await withTransaction(pool, isolation, (client) =>
        client.query('show transaction_isolation'),
      );
      expect(rows).toEqual([{ transaction_isolation: isolation }]);
    }
  });

  it('rolls back and says retry when the connection breaks within it (I1)', async () => {
    for (const moment of ['between statements', 'in a statement']) {
      await expect(
        withTransaction(pool, 'read committed', async (client) => {
          await client.query(insert(3));
          const broken =
            moment === 'in a statement'
              ? client.query('select pg_sleep(1)')
              : new Promise((resolve) => client.once('end', resolve));
          await Promise.all([broken, killConnections()]);
          await client.query('select 1');
        }),
      ).rejects.toMatchObject({ code: 'database_unavailable' });
    }
    expect(await has(3)).toBe(false);
    await expect(
      withTransaction(pool, 'read committed', (client) => client.query('select 1 as n')),
    ).resolves.toMatchObject({ rows: [{ n: 1 }] });
  });

  it('says retry where another transaction was in the way', async () => {
    await database.pool.query(`insert into ${table} values (10, 0)`);
    const update = `update ${table} set n = n + 1 where id = 10`;
    const holder = await database.pool.connect();
    await holder.query('begin');
    await holder.query(update);
    const waiting = withTransaction(pool, 'read committed', (client) => client.query(update));
    await expect(waiting).rejects.toMatchObject(unavailable('55P03'));
    await holder.query('commit');
    holder.release();

    const late = withTransaction(pool, 'repeatable read', async (client) => {
      await client.query(`select * from ${table}`);
      await database.pool.query(update);
      await client.query(update);
    });
    await expect(late).rejects.toMatchObject(unavailable('40001'));
    await expect(pool.query('select pg_sleep(10)')).rejects.toMatchObject(unavailable('57014'));
  });

  it('leaves errors alone that trying again cannot mend', async () => {
    for (const [statement, code] of [
      [insert(1), '23505'],
      ['select * from nowhere', '42P01'],
      ['selekt', '42601'],
    ] as const) {
      await expect(
        withTransaction(pool, 'read committed', (client) => client.query(statement)),
      ).rejects.toMatchObject({ code });
    }
  });
});
