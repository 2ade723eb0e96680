import type { PoolClient } from 'pg';
import { expect, it } from 'vitest';
import { combined, IF_FIRST } from '../../src/project/combined-statement.js';

it('several writes are one statement, each with parameters of its own', async () => {
  const sent: object[] = [];
  const query = async (config: object) => {
    sent.push(config);
    return { rows: [{ changed: 1 }] };
  };
  const write = combined<{ id: number; names: string[] }>(
    'all',
    { text: 'update a set b = $2 where c = $1 returning 1', values: ({ id }) => [id, -id] },
    [
      { text: `insert into d select $1, $2, $1 ${IF_FIRST}`, values: ({ id }) => [id, 'x'] },
      { text: `insert into e select * from unnest($1) ${IF_FIRST}`, values: (of) => [of.names] },
    ],
  );
  const changed = await write({ query } as unknown as PoolClient, { id: 7, names: ['m', 'n'] });
  expect(changed).toBe(1);
  expect(sent).toEqual([
    {
      name: 'all',
      text: `with first as (
update a set b = $2 where c = $1 returning 1
),
w0 as (
insert into d select $3, $4, $3 where exists (select from first)
),
w1 as (
insert into e select * from unnest($5) where exists (select from first)
)
select count(*)::int4 as changed from first`,
      values: [7, -7, 7, 'x', ['m', 'n']],
    },
  ]);
});
