import type { PoolClient } from 'pg';
import { expect, it } from 'vitest';
import { combined } from '../../src/project/combined-statement.js';

it('several writes are one statement, each with parameters of its own', async () => {
  const sent: object[] = [];
  const client = { query: async (config: object) => sent.push(config) } as unknown as PoolClient;
  const write = combined<{ id: number; names: string[] }>('both', [
    { text: 'insert into a select $1, $2, $1', values: ({ id }) => [id, -id] },
    { text: 'insert into b select $2 from unnest($1)', values: ({ names }) => [names, 'x'] },
  ]);
  await write(client, { id: 7, names: ['m', 'n'] });
  expect(sent).toEqual([
    {
      name: 'both',
      text: 'with w0 as (\ninsert into a select $1, $2, $1\n),\nw1 as (\ninsert into b select $4 from unnest($3)\n)\nselect',
      values: [7, -7, ['m', 'n'], 'x'],
    },
  ]);
});
