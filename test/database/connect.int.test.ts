import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, testDatabase } from '../postgres.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

describe('createPool', () => {
  it('reads int8 as a number, and refuses what a number cannot hold', async () => {
    const { rows } = await database.pool.query('select 9007199254740991::int8 as n');
    expect(rows).toEqual([{ n: Number.MAX_SAFE_INTEGER }]);
    await expect(database.pool.query('select 9007199254740992::int8 as n')).rejects.toThrow(
      'beyond 2^53',
    );
    await expect(database.pool.query('select 1::int8 as n')).resolves.toHaveProperty('rowCount', 1);
  });
});
